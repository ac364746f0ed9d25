package dev.weir.benchmarks;

import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsProvider;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.util.List;
import javax.net.ssl.SSLException;

/**
 * What the servers with TLS have in common: version, cipher suite, and the kind of the certificate.
 * So they differ in the engine and in the library only, and two with the same engine in the
 * library.
 *
 * <p>The key is made anew for each process. None has to be kept in files then, and it has no part
 * in what is measured, which begins after the handshakes.
 */
enum EchoTls {
  /** The JDK's engine. */
  JDK("the JDK's engine", SslProvider.JDK, TlsProvider.JDK),

  /** BoringSSL, which comes with Netty's {@code netty-tcnative-boringssl-static}. */
  BORINGSSL("BoringSSL", SslProvider.OPENSSL, TlsProvider.BORINGSSL);

  static final String PROTOCOL = "TLSv1.3";

  /**
   * A ratio must not be one of ciphers. BoringSSL lets nobody choose those of TLS 1.3, and Netty
   * logs that it was tried; there the load generator sees to it, which offers no other than this.
   */
  static final String CIPHER_SUITE = "TLS_AES_128_GCM_SHA256";

  private final String description;
  private final SslProvider nettys;
  private final TlsProvider weirs;

  EchoTls(String description, SslProvider nettys, TlsProvider weirs) {
    this.description = description;
    this.nettys = nettys;
    this.weirs = weirs;
  }

  /** Made when it is first wanted: servers without TLS start without it. */
  private static final class Certificate {
    static final X509Bundle BUNDLE = selfSigned();

    private static X509Bundle selfSigned() {
      try {
        return new CertificateBuilder()
            .ecp256()
            .subject("CN=localhost")
            .addSanDnsName("localhost")
            .setIsCertificateAuthority(true) // A root must be one.
            .addExtendedKeyUsageServerAuth()
            .buildSelfSigned();
      } catch (Exception e) {
        throw new IllegalStateException("There is no certificate for the server", e);
      }
    }
  }

  /** {@return whether the engine is there: BoringSSL is for Linux on x86-64 only} */
  boolean isAvailable() {
    return this != BORINGSSL || OpenSsl.isAvailable();
  }

  /** {@return what Netty's users give to their pipelines} */
  SslContext nettys() {
    ensureAvailable();
    X509Bundle bundle = Certificate.BUNDLE;
    SslContextBuilder builder =
        SslContextBuilder.forServer(bundle.getKeyPair().getPrivate(), bundle.getCertificatePath())
            .sslProvider(nettys)
            .protocols(PROTOCOL);
    try {
      return this == BORINGSSL ? builder.build() : builder.ciphers(List.of(CIPHER_SUITE)).build();
    } catch (SSLException e) {
      throw new IllegalStateException("Netty cannot use " + description, e);
    }
  }

  /** {@return the same for Weir} */
  ServerTls weirs() {
    ensureAvailable();
    X509Bundle bundle = Certificate.BUNDLE;
    TlsIdentity identity =
        TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(bundle.getCertificatePath()));
    ServerTls tls = ServerTls.of(identity).withProvider(weirs).withProtocols(PROTOCOL);
    return this == BORINGSSL ? tls : tls.withCipherSuites(CIPHER_SUITE);
  }

  private void ensureAvailable() {
    if (!isAvailable()) {
      throw new UnsupportedOperationException(
          description + " is not there: the jar has it for Linux on x86-64 only",
          OpenSsl.unavailabilityCause());
    }
  }

  /** {@return what it is, for the description of a server} */
  @Override
  public String toString() {
    return PROTOCOL + " by " + description;
  }
}
