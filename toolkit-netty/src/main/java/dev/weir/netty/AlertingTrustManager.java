package dev.weir.netty;

import io.netty.handler.ssl.OpenSslCertificateException;
import java.net.Socket;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;

/**
 * Has BoringSSL tell a peer whose certificate is refused that it is the certificate: of a refusal
 * that Netty does not know it makes an internal error. The JDK's engine sends certificate_unknown,
 * for which there is no code.
 */
final class AlertingTrustManager extends X509ExtendedTrustManager {
  /** {@code X509_V_ERR_CERT_REJECTED}, which leads to the alert bad_certificate. */
  private static final int CERTIFICATE_REJECTED = 28;

  private final X509ExtendedTrustManager decider;

  AlertingTrustManager(X509ExtendedTrustManager decider) {
    this.decider = decider;
  }

  private interface Decision {
    void make() throws CertificateException;
  }

  private static void decide(Decision decision) throws CertificateException {
    try {
      decision.make();
    } catch (CertificateException e) {
      throw new OpenSslCertificateException(e.getMessage(), e, CERTIFICATE_REJECTED);
    }
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    decide(() -> decider.checkServerTrusted(chain, authType, engine));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    decide(() -> decider.checkClientTrusted(chain, authType, engine));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    decide(() -> decider.checkServerTrusted(chain, authType, socket));
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    decide(() -> decider.checkServerTrusted(chain, authType));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    decide(() -> decider.checkClientTrusted(chain, authType, socket));
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    decide(() -> decider.checkClientTrusted(chain, authType));
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return decider.getAcceptedIssuers();
  }
}
