package dev.weir.netty;

import dev.weir.tls.ClientTls;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManager;

/** An authority of the tests' own, and what it has signed. Made once: keys take a while. */
final class TestCertificates {
  private static final X509Bundle AUTHORITY = authority("CN=Weir test authority");

  /** For {@code localhost}, {@code 127.0.0.1} and {@code ::1}. */
  static final TlsIdentity LOCALHOST = server("localhost", "127.0.0.1", "::1");

  static final TlsIdentity CLIENT = client("CN=client");

  private TestCertificates() {}

  /** An object of options is prepared once and kept, so there is one of each for all tests. */
  private static final ServerTls SERVER_JDK = ServerTls.of(LOCALHOST).withProvider(TlsProvider.JDK);

  private static final ServerTls SERVER_BORINGSSL =
      ServerTls.of(LOCALHOST).withProvider(TlsProvider.BORINGSSL);

  private static final ClientTls CLIENT_JDK =
      ClientTls.defaults().withTrusted(trusted()).withProvider(TlsProvider.JDK);

  private static final ClientTls CLIENT_BORINGSSL =
      ClientTls.defaults().withTrusted(trusted()).withProvider(TlsProvider.BORINGSSL);

  /** {@return a server's options with a certificate for this machine} */
  static ServerTls serverTls(TlsProvider provider) {
    return provider == TlsProvider.BORINGSSL ? SERVER_BORINGSSL : SERVER_JDK;
  }

  /** {@return a client's options that trust the authority of the tests} */
  static ClientTls clientTls(TlsProvider provider) {
    return provider == TlsProvider.BORINGSSL ? CLIENT_BORINGSSL : CLIENT_JDK;
  }

  /** {@return the JDK's own TLS for peers that are no part of Weir; it trusts the authority} */
  static SSLContext plainContext() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {AUTHORITY.toTrustManager()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** {@return a client's first message, as it goes over the wire} */
  static byte[] clientHello() throws SSLException {
    SSLEngine engine = plainContext().createSSLEngine("localhost", 443);
    engine.setUseClientMode(true);
    ByteBuffer flight = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    engine.wrap(ByteBuffer.allocate(0), flight);
    byte[] hello = new byte[flight.flip().remaining()];
    flight.get(hello);
    return hello;
  }

  static List<X509Certificate> trusted() {
    return List.of(AUTHORITY.getCertificate());
  }

  /** {@return a new certificate of a server with these names and addresses} */
  static TlsIdentity server(String... names) {
    CertificateBuilder builder =
        new CertificateBuilder().ecp256().subject("CN=server").addExtendedKeyUsageServerAuth();
    for (String name : names) {
      if (TlsHandlers.isLiteralAddress(name)) {
        builder.addSanIpAddress(name);
      } else {
        builder.addSanDnsName(name);
      }
    }
    return signed(builder);
  }

  static TlsIdentity client(String subject) {
    return signed(
        new CertificateBuilder().ecp256().subject(subject).addExtendedKeyUsageClientAuth());
  }

  static TlsIdentity signed(CertificateBuilder builder) {
    try {
      X509Bundle bundle = builder.buildIssuedBy(AUTHORITY);
      return TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(bundle.getCertificatePath()));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  static X509Bundle authority(String subject) {
    try {
      return new CertificateBuilder()
          .ecp256()
          .subject(subject)
          .setIsCertificateAuthority(true)
          .buildSelfSigned();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }
}
