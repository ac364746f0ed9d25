package dev.weir.netty;

import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsOptions;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.io.IOException;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** Handlers with the JDK's engine. */
final class JdkTlsHandlers extends TlsHandlers {
  private static final char[] NO_PASSWORD = {};

  private final Map<@Nullable TlsIdentity, SSLContext> contexts;
  private final boolean client;
  private final SSLParameters parameters;
  private final List<String> applicationProtocols;
  private final boolean applicationProtocolRequired;

  JdkTlsHandlers(TlsOptions options) throws TlsException {
    client = options instanceof ClientTls;
    applicationProtocols = options.applicationProtocols();
    applicationProtocolRequired = options.applicationProtocolRequired();
    parameters = parameters(options);
    contexts = forEachIdentity(options, identity -> context(options, identity));
    for (SSLContext context : contexts.values()) {
      ensureSupported(context);
    }
  }

  private static SSLParameters parameters(TlsOptions options) {
    SSLParameters parameters =
        new SSLParameters(
            options.cipherSuites().toArray(String[]::new),
            options.protocols().toArray(String[]::new));
    parameters.setApplicationProtocols(options.applicationProtocols().toArray(String[]::new));
    switch (options) {
      case ClientTls tls -> {
        if (tls.hostnameChecked()) {
          parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
      }
      case ServerTls tls -> {
        parameters.setUseCipherSuitesOrder(true);
        switch (tls.clientAuthentication()) {
          case NONE -> {}
          case OPTIONAL -> parameters.setWantClientAuth(true);
          case REQUIRED -> parameters.setNeedClientAuth(true);
        }
      }
    }
    return parameters;
  }

  private static SSLContext context(TlsOptions options, @Nullable TlsIdentity identity)
      throws TlsException {
    SSLContext given = options.context();
    if (given != null) {
      return given;
    }
    X509ExtendedTrustManager trust = options.trustManager();
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          identity == null ? null : keyManagers(identity),
          trust == null ? null : new TrustManager[] {trust},
          null);
      return context;
    } catch (GeneralSecurityException | IOException e) {
      throw new TlsException("The JDK cannot use the certificate: " + e.getMessage(), e);
    }
  }

  private static KeyManager[] keyManagers(TlsIdentity identity)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    X509Certificate[] chain = identity.certificates().toArray(X509Certificate[]::new);
    store.setKeyEntry("identity", identity.privateKey(), NO_PASSWORD, chain);
    KeyManagerFactory factory =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    factory.init(store, NO_PASSWORD);
    return factory.getKeyManagers();
  }

  /** Now, and not with the first connection. */
  private void ensureSupported(SSLContext context) throws TlsException {
    try {
      context.createSSLEngine().setSSLParameters(parameters);
    } catch (IllegalArgumentException e) {
      throw new TlsException(
          "The JDK's TLS does not have what was asked for: " + e.getMessage(), e);
    }
  }

  @Override
  SslHandler newHandler(
      ByteBufAllocator alloc,
      @Nullable TlsIdentity identity,
      @Nullable String serverName,
      SocketAddress remote) {
    SSLContext context = Objects.requireNonNull(contexts.get(identity), "prepared");
    String name = withoutEndingDot(serverName);
    SSLEngine engine = context.createSSLEngine(name, port(remote));
    engine.setUseClientMode(client);
    engine.setSSLParameters(parameters);
    if (client) {
      tellServerName(engine, name);
    } else if (!applicationProtocols.isEmpty()) {
      engine.setHandshakeApplicationProtocolSelector((shakingHands, offered) -> select(offered));
    }
    return new RenegotiationRefusingHandler(engine);
  }

  /**
   * By itself the JDK refuses a client that offers none of ours, whether one is required or not.
   *
   * @return null to refuse, and an empty one for none
   */
  private @Nullable String select(List<String> offered) {
    for (String ours : applicationProtocols) {
      if (offered.contains(ours)) {
        return ours;
      }
    }
    return applicationProtocolRequired ? null : "";
  }

  @Override
  boolean reportsErrorsLate() {
    return false;
  }

  @Override
  boolean needsWholeRecords() {
    return true;
  }

  @Override
  String provider() {
    return "JDK";
  }

  @Override
  public String toString() {
    return "JdkTlsHandlers[" + (client ? "client]" : "server]");
  }
}
