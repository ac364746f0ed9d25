package dev.weir.tls;

import java.security.cert.Certificate;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What two peers agreed on when TLS was started. Corresponds to the {@code get_extra_info} of
 * {@code ssl_object}, {@code cipher} and {@code peercert}.
 *
 * @param protocol {@code TLSv1.3} or {@code TLSv1.2}
 * @param cipherSuite its standard name
 * @param applicationProtocol the one both sides know, by ALPN; null if there is none
 * @param serverName the server that the client asked for; null if it named none. On a server it is
 *     what the client sent
 * @param peerCertificates the peer's certificate and those that lead to its issuer, checked unless
 *     the options say otherwise; empty if it showed none
 * @param localCertificates this end's, in the same order; empty if it showed none
 * @param provider what encrypts: {@code JDK} or {@code BoringSSL}
 */
public record TlsSession(
    String protocol,
    String cipherSuite,
    @Nullable String applicationProtocol,
    @Nullable String serverName,
    List<Certificate> peerCertificates,
    List<Certificate> localCertificates,
    String provider) {
  /** Takes copies of the lists. */
  public TlsSession {
    peerCertificates = List.copyOf(peerCertificates);
    localCertificates = List.copyOf(localCertificates);
  }

  /** {@return what was agreed on, without the certificates, which are long} */
  @Override
  public String toString() {
    return "TlsSession["
        + protocol
        + ", "
        + cipherSuite
        + (applicationProtocol == null ? "" : ", " + applicationProtocol)
        + ", "
        + provider
        + "]";
  }
}
