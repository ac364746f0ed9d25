package dev.weir.benchmarks.lab;

import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import dev.weir.tls.TlsProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** TLS for the lab: a server that vouches for itself, and clients that believe it. */
final class LabTls {
  private LabTls() {}

  static ServerTls server(TlsProvider provider) {
    try {
      X509Bundle bundle =
          new CertificateBuilder()
              .ecp256()
              .subject("CN=localhost")
              .addSanDnsName("localhost")
              .setIsCertificateAuthority(true) // A root must be one.
              .buildSelfSigned();
      TlsIdentity identity =
          TlsIdentity.of(bundle.getKeyPair().getPrivate(), List.of(bundle.getCertificatePath()));
      return ServerTls.of(identity).withProvider(provider);
    } catch (Exception e) {
      throw new IllegalStateException("There is no certificate for the server", e);
    }
  }

  /** {@return the connection, with TLS on top} */
  static Socket secured(Socket plain) throws IOException {
    SSLSocket secured =
        (SSLSocket)
            context().getSocketFactory().createSocket(plain, "localhost", plain.getPort(), true);
    secured.startHandshake();
    return secured;
  }

  /** {@return a client's first message, as it goes over the wire} */
  static byte[] clientHello() throws SSLException {
    SSLEngine engine = context().createSSLEngine("localhost", 443);
    engine.setUseClientMode(true);
    ByteBuffer flight = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
    engine.wrap(ByteBuffer.allocate(0), flight);
    byte[] hello = new byte[flight.flip().remaining()];
    flight.get(hello);
    return hello;
  }

  private static SSLContext context() {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Believer()}, null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("The JDK has no TLS", e);
    }
  }

  /** The server makes its certificate by itself, and the clients are not what is looked at here. */
  private static final class Believer implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
