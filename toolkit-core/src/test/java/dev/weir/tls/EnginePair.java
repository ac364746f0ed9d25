package dev.weir.tls;

import java.nio.ByteBuffer;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/** A client's and a server's engine of the JDK's, which hand each other what they produce. */
final class EnginePair {
  /** Many more than a handshake takes; an engine that gets nowhere fails the test. */
  private static final int STEPS_MAX = 1000;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SSLEngine client;
  private final SSLEngine server;
  private final ByteBuffer toServer = ByteBuffer.allocate(256 * 1024);
  private final ByteBuffer toClient = ByteBuffer.allocate(256 * 1024);
  private final ByteBuffer read = ByteBuffer.allocate(64 * 1024);

  /**
   * Makes one.
   *
   * @param peerHost what the client says it connects to; null for nothing
   * @param clientIdentity null for none
   * @param clientTrust of the server; null if it asks for no certificate
   */
  EnginePair(
      ClientTls clientTls,
      @Nullable String peerHost,
      TlsIdentity serverIdentity,
      @Nullable TlsIdentity clientIdentity,
      @Nullable X509ExtendedTrustManager clientTrust)
      throws Exception {
    client =
        context(clientIdentity, clientTls.trustManager())
            .createSSLEngine(peerHost, peerHost == null ? -1 : 443);
    client.setUseClientMode(true);
    if (clientTls.hostnameChecked()) {
      SSLParameters parameters = client.getSSLParameters();
      parameters.setEndpointIdentificationAlgorithm("HTTPS");
      client.setSSLParameters(parameters);
    }
    server = context(serverIdentity, clientTrust).createSSLEngine();
    server.setUseClientMode(false);
    server.setNeedClientAuth(clientTrust != null);
  }

  private static SSLContext context(
      @Nullable TlsIdentity identity, @Nullable X509ExtendedTrustManager trust) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(
        identity == null ? null : new KeyManager[] {new OnlyIdentity(identity)},
        trust == null ? null : new TrustManager[] {trust},
        null);
    return context;
  }

  /** Shakes hands to the end, or until one of them refuses. */
  void handshake() throws SSLException {
    client.beginHandshake();
    server.beginHandshake();
    for (int step = 0; step < STEPS_MAX; step++) {
      boolean moved = turn(client, toClient, toServer) | turn(server, toServer, toClient);
      if (!moved) {
        return;
      }
    }
    throw new AssertionError("no end: " + this);
  }

  /** {@return whether it did anything} */
  private boolean turn(SSLEngine engine, ByteBuffer in, ByteBuffer out) throws SSLException {
    for (Runnable task = engine.getDelegatedTask(); task != null; ) {
      task.run();
      task = engine.getDelegatedTask();
    }
    if (engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP) {
      return engine.wrap(NOTHING, out).bytesProduced() > 0;
    }
    in.flip();
    SSLEngineResult result = engine.unwrap(in, read.clear());
    in.compact();
    return result.bytesConsumed() > 0;
  }

  /** {@return what the client has been shown} */
  List<X509Certificate> serverCertificates() throws SSLException {
    return List.of((X509Certificate[]) client.getSession().getPeerCertificates());
  }

  @Override
  public String toString() {
    return "EnginePair[client "
        + client.getHandshakeStatus()
        + ", server "
        + server.getHandshakeStatus()
        + "]";
  }
}
