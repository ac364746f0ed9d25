package dev.weir.demo.echo;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import java.util.HexFormat;

/** By what a person can tell whether two certificates are the same. */
final class Fingerprint {
  private static final HexFormat FORMAT = HexFormat.ofDelimiter(":").withUpperCase();

  private Fingerprint() {}

  /** {@return the fingerprint as {@code openssl x509 -fingerprint -sha256} prints it} */
  static String sha256(Certificate certificate) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return FORMAT.formatHex(digest.digest(certificate.getEncoded()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    } catch (CertificateEncodingException e) {
      throw new IllegalArgumentException("not a certificate that can be encoded", e);
    }
  }
}
