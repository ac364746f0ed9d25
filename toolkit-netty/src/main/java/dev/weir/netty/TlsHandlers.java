package dev.weir.netty;

import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsOptions;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;

/**
 * Makes the handlers that secure connections with the same options. What takes long, loading
 * certificates and libraries, is done once for one object of options.
 *
 * <p>Knows the identities of a server's options and not the options themselves, which thus go when
 * nobody has them any more.
 */
abstract class TlsHandlers {
  /** Guarded by itself. */
  private static final Map<TlsOptions, TlsHandlers> PREPARED = new WeakHashMap<>();

  /** {@return what was prepared for these options, or null} Any thread. */
  static @Nullable TlsHandlers prepared(TlsOptions options) {
    synchronized (PREPARED) {
      return PREPARED.get(options);
    }
  }

  /** Prepares what is not yet prepared. Any thread; may block. */
  static TlsHandlers prepare(TlsOptions options) throws TlsException {
    TlsHandlers known = prepared(options);
    if (known != null) {
      return known;
    }
    TlsHandlers made = make(options); // Twice perhaps, which is no harm, and nobody waits.
    synchronized (PREPARED) {
      TlsHandlers first = PREPARED.putIfAbsent(options, made);
      return first != null ? first : made;
    }
  }

  private static TlsHandlers make(TlsOptions options) throws TlsException {
    boolean boringSsl =
        switch (options.provider()) {
          case JDK -> false;
          case AUTO -> options.context() == null && BoringSslHandlers.isAvailable();
          case BORINGSSL -> {
            BoringSslHandlers.ensureFits(options);
            yield true;
          }
        };
    return boringSsl ? new BoringSslHandlers(options) : new JdkTlsHandlers(options);
  }

  /**
   * {@return a new handler}
   *
   * @param identity whose certificate a server shows; null on a client, and if the options leave it
   *     to a context of the user's
   * @param serverName with whom a client means to talk
   */
  abstract SslHandler newHandler(
      ByteBufAllocator alloc,
      @Nullable TlsIdentity identity,
      @Nullable String serverName,
      SocketAddress remote);

  /** {@return whether the engine may have an error that it reports when it is next used} */
  abstract boolean reportsErrorsLate();

  /** {@return whether the engine takes no part of a record, see {@link WholeRecords}} */
  abstract boolean needsWholeRecords();

  /** {@return the name of what encrypts, for the session's facts} */
  abstract String provider();

  // --- What both kinds need

  /** Whatever is made for one identity. */
  interface Maker<T> {
    T make(@Nullable TlsIdentity identity) throws TlsException;
  }

  /** Makes one for each identity that a connection may need; for null if there is none. */
  static <T> Map<@Nullable TlsIdentity, T> forEachIdentity(TlsOptions options, Maker<T> maker)
      throws TlsException {
    Map<@Nullable TlsIdentity, T> made = new HashMap<>();
    TlsIdentity one = options.identity();
    if (one != null || options instanceof ClientTls || options.context() != null) {
      made.put(options instanceof ServerTls ? one : null, maker.make(one));
    }
    if (options instanceof ServerTls server) {
      for (TlsIdentity named : server.named().values()) {
        if (!made.containsKey(named)) {
          made.put(named, maker.make(named));
        }
      }
    }
    return made;
  }

  /** {@return the port, under which a client remembers sessions; -1 for none} */
  static int port(SocketAddress remote) {
    return remote instanceof InetSocketAddress address ? address.getPort() : -1;
  }

  /** {@return the name as certificates have it: a dot at its end says only that it is whole} */
  static @Nullable String withoutEndingDot(@Nullable String name) {
    return name != null && name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }

  /**
   * Has a client tell the server the name. By themselves engines do so for names with a dot only.
   * Nothing is told of addresses, which the protocol does not allow, and of what is no name in DNS.
   */
  static void tellServerName(SSLEngine engine, @Nullable String serverName) {
    if (serverName == null || isLiteralAddress(serverName)) {
      return;
    }
    try {
      SSLParameters parameters = engine.getSSLParameters();
      parameters.setServerNames(List.of(new SNIHostName(serverName)));
      engine.setSSLParameters(parameters);
    } catch (IllegalArgumentException e) {
      // A name with an underscore, say: the server shows what it has, and that is checked.
    }
  }

  static boolean isLiteralAddress(String name) {
    return NetUtil.isValidIpV4Address(name) || NetUtil.isValidIpV6Address(name);
  }
}
