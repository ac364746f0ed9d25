package dev.weir.netty;

import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsOptions;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.net.SocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.SSLException;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Handlers with BoringSSL, where Netty's jars of it are there. */
final class BoringSslHandlers extends TlsHandlers {
  private static final List<String> SUITES_OF_NEWER_VERSION =
      List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

  private final Map<@Nullable TlsIdentity, SslContext> contexts;
  private final boolean client;

  BoringSslHandlers(TlsOptions options) throws TlsException {
    client = options instanceof ClientTls;
    contexts = forEachIdentity(options, identity -> context(options, identity));
  }

  static boolean isAvailable() {
    return OpenSsl.isAvailable();
  }

  static void ensureFits(TlsOptions options) throws TlsException {
    if (!isAvailable()) {
      throw new TlsException(
          "BoringSSL is not there: add the jars netty-tcnative-classes and"
              + " netty-tcnative-boringssl-static (of this machine's kind) to the class path, or to"
              + " the module path and --add-modules, as docs/tls.md says, or leave"
              + " withProvider(BORINGSSL) out",
          OpenSsl.unavailabilityCause());
    }
    if (options.context() != null) {
      throw new TlsException(
          "BoringSSL cannot use an SSLContext, which is the JDK's: use an identity and trusted"
              + " certificates, or leave withProvider(BORINGSSL) out");
    }
  }

  private static SslContext context(TlsOptions options, @Nullable TlsIdentity identity)
      throws TlsException {
    ensureSuitesOfNewerVersion(options);
    SslContextBuilder builder =
        switch (options) {
          case ClientTls tls -> forClient(tls, identity);
          case ServerTls tls -> forServer(tls, Objects.requireNonNull(identity, "identity"));
        };
    X509ExtendedTrustManager trust = options.trustManager();
    if (trust != null) {
      builder.trustManager(new AlertingTrustManager(trust));
    }
    if (!options.applicationProtocols().isEmpty()) {
      builder.applicationProtocolConfig(
          new ApplicationProtocolConfig(
              Protocol.ALPN,
              SelectorFailureBehavior.NO_ADVERTISE,
              SelectedListenerFailureBehavior.ACCEPT,
              options.applicationProtocols()));
    }
    try {
      return builder
          .sslProvider(SslProvider.OPENSSL)
          .protocols(options.protocols())
          .ciphers(options.cipherSuites())
          .build();
    } catch (SSLException | IllegalArgumentException e) {
      throw new TlsException("BoringSSL cannot use the options: " + e.getMessage(), e);
    }
  }

  /**
   * BoringSSL uses those of TLS 1.3 that it has, whatever it is told; nobody must think otherwise.
   */
  private static void ensureSuitesOfNewerVersion(TlsOptions options) throws TlsException {
    if (options.protocols().contains("TLSv1.3")
        && !options.cipherSuites().containsAll(SUITES_OF_NEWER_VERSION)) {
      throw new TlsException(
          "BoringSSL lets nobody choose among the cipher suites of TLS 1.3: name all of "
              + SUITES_OF_NEWER_VERSION
              + " in withCipherSuites(), or use TlsProvider.JDK; it was given "
              + options.cipherSuites());
    }
  }

  private static SslContextBuilder forClient(ClientTls tls, @Nullable TlsIdentity identity) {
    SslContextBuilder builder = SslContextBuilder.forClient();
    if (identity != null) {
      builder.keyManager(identity.privateKey(), chain(identity));
    }
    return builder.endpointIdentificationAlgorithm(tls.hostnameChecked() ? "HTTPS" : null);
  }

  private static SslContextBuilder forServer(ServerTls tls, TlsIdentity identity) {
    return SslContextBuilder.forServer(identity.privateKey(), chain(identity))
        .clientAuth(
            switch (tls.clientAuthentication()) {
              case NONE -> ClientAuth.NONE;
              case OPTIONAL -> ClientAuth.OPTIONAL;
              case REQUIRED -> ClientAuth.REQUIRE;
            });
  }

  private static X509Certificate[] chain(TlsIdentity identity) {
    return identity.certificates().toArray(X509Certificate[]::new);
  }

  @Override
  SslHandler newHandler(
      ByteBufAllocator alloc,
      @Nullable TlsIdentity identity,
      @Nullable String serverName,
      SocketAddress remote) {
    SslContext context = Objects.requireNonNull(contexts.get(identity), "prepared");
    String name = withoutEndingDot(serverName);
    // Not newEngine(): a handler that the context makes gives the engine all records at once.
    SslHandler handler = context.newHandler(alloc, name, port(remote));
    if (client) {
      tellServerName(handler.engine(), name);
    }
    return handler;
  }

  @Override
  boolean reportsErrorsLate() {
    return true;
  }

  @Override
  boolean needsWholeRecords() {
    return false;
  }

  @Override
  String provider() {
    return OpenSsl.versionString().startsWith("BoringSSL") ? "BoringSSL" : OpenSsl.versionString();
  }

  @Override
  public String toString() {
    return "BoringSslHandlers[" + (client ? "client]" : "server]");
  }
}
