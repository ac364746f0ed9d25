package dev.weir.tls;

import java.net.Socket;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertPathValidatorException.BasicReason;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.security.interfaces.RSAKey;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Leaves the decision to the JDK, and says of a refusal which check failed and for which name. What
 * it finds out never makes a refusal a consent; and keys that the JDK finds strong enough, and
 * nobody else does, it refuses itself.
 */
final class ExplainingTrustManager extends X509ExtendedTrustManager {
  private static final String SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
  private static final String CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
  private static final String ANY_USAGE = "2.5.29.37.0";

  /** What certificates have had to have since 2014. The JDK is content with 1024. */
  private static final int RSA_BITS_MIN = 2048;

  private final X509ExtendedTrustManager decider;

  ExplainingTrustManager(X509ExtendedTrustManager decider) {
    this.decider = decider;
  }

  private interface Decision {
    void make() throws CertificateException;
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    String algorithm = engine.getSSLParameters().getEndpointIdentificationAlgorithm();
    boolean nameWanted = algorithm != null && !algorithm.isEmpty();
    String name = nameWanted ? engine.getPeerHost() : null;
    if (nameWanted && (name == null || name.isEmpty())) {
      throw new CertificateException("There is no host name to check the server's certificate for");
    }
    decide(
        chain,
        () -> decider.checkServerTrusted(chain, authType, engine),
        () -> decider.checkServerTrusted(chain, authType),
        name,
        SERVER_AUTH);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
      throws CertificateException {
    decide(
        chain, () -> decider.checkClientTrusted(chain, authType, engine), null, null, CLIENT_AUTH);
  }

  // Nobody calls these with the engines in use; they must not be a way around the check, though.

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    decider.checkServerTrusted(chain, authType, socket);
  }

  @Override
  public void checkServerTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    decider.checkServerTrusted(chain, authType);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
      throws CertificateException {
    decider.checkClientTrusted(chain, authType, socket);
  }

  @Override
  public void checkClientTrusted(X509Certificate[] chain, String authType)
      throws CertificateException {
    decider.checkClientTrusted(chain, authType);
  }

  @Override
  public X509Certificate[] getAcceptedIssuers() {
    return decider.getAcceptedIssuers();
  }

  /**
   * @param withoutName the same decision but for the name; null if there is none to check
   */
  private static void decide(
      X509Certificate[] chain,
      Decision decision,
      @Nullable Decision withoutName,
      @Nullable String name,
      String usage)
      throws CertificateException {
    String weakness;
    try {
      decision.make();
      weakness = weakness(chain);
    } catch (CertificateException refusal) {
      String why;
      try {
        why = explain(chain, refusal, withoutName, name, usage);
      } catch (RuntimeException e) {
        throw refusal; // An odd certificate: the JDK's words have to do.
      }
      throw new CertificateException(why, refusal);
    }
    if (weakness != null) {
      throw new CertificateException(whose(chain[0], usage) + " " + weakness + towards(name));
    }
  }

  private static @Nullable String weakness(X509Certificate[] chain) {
    for (int i = 0; i < chain.length; i++) {
      if (chain[i].getPublicKey() instanceof RSAKey key
          && key.getModulus().bitLength() < RSA_BITS_MIN) {
        return (i == 0 ? "has" : "has an issuer, " + CertificateWords.subject(chain[i]) + ", with")
            + " a weak key: RSA with "
            + key.getModulus().bitLength()
            + " bits instead of "
            + RSA_BITS_MIN;
      }
    }
    return null;
  }

  private static String whose(X509Certificate own, String usage) {
    return usage.equals(SERVER_AUTH)
        ? "The certificate for " + CertificateWords.names(own)
        : "The client's certificate, of " + CertificateWords.subject(own) + ",";
  }

  private static String towards(@Nullable String name) {
    return name == null ? "" : " (asked for: " + CertificateWords.printable(name) + ")";
  }

  private static String explain(
      X509Certificate[] chain,
      CertificateException refusal,
      @Nullable Decision withoutName,
      @Nullable String name,
      String usage) {
    X509Certificate own = chain[0];
    String subject = whose(own, usage);
    String towards = towards(name);
    if (name != null && withoutName != null && passes(withoutName)) {
      return "The certificate is for "
          + CertificateWords.names(own)
          + ", not for "
          + CertificateWords.printable(name);
    }
    String time = timeProblem(chain);
    if (time != null) {
      return subject + " " + time + towards;
    }
    if (isForOtherUse(own, usage)) {
      return subject
          + (usage.equals(SERVER_AUTH) ? " is not meant for servers" : " is not meant for clients")
          + towards;
    }
    CertPathValidatorException path = find(refusal, CertPathValidatorException.class);
    if (path != null && path.getReason() == BasicReason.ALGORITHM_CONSTRAINED) {
      return subject
          + " has a weak key or algorithm: "
          + CertificateWords.printable(String.valueOf(path.getMessage()))
          + towards;
    }
    if (path != null && path.getReason() == BasicReason.INVALID_SIGNATURE) {
      return subject
          + " has a signature that is not its issuer's: somebody else has the name of a trusted one"
          + towards;
    }
    if (isUntrusted(refusal)) {
      return subject + " " + issuerProblem(chain) + towards;
    }
    String check = path == null ? refusal.getMessage() : path.getMessage();
    return subject + " was refused: " + CertificateWords.printable(String.valueOf(check)) + towards;
  }

  private static boolean passes(Decision decision) {
    try {
      decision.make();
      return true;
    } catch (CertificateException e) {
      return false;
    }
  }

  private static @Nullable String timeProblem(X509Certificate[] chain) {
    for (int i = 0; i < chain.length; i++) {
      String whose =
          i == 0 ? "" : "has an issuer, " + CertificateWords.subject(chain[i]) + ", that ";
      try {
        chain[i].checkValidity();
      } catch (CertificateExpiredException e) {
        return whose + "expired on " + chain[i].getNotAfter().toInstant();
      } catch (CertificateNotYetValidException e) {
        return whose + "is not valid before " + chain[i].getNotBefore().toInstant();
      }
    }
    return null;
  }

  private static boolean isForOtherUse(X509Certificate own, String usage) {
    try {
      List<String> usages = own.getExtendedKeyUsage();
      return usages != null && !usages.contains(usage) && !usages.contains(ANY_USAGE);
    } catch (CertificateParsingException e) {
      return false;
    }
  }

  private static boolean isUntrusted(CertificateException refusal) {
    String message = String.valueOf(refusal.getMessage());
    return message.startsWith("PKIX path building failed")
        || message.startsWith("No trusted certificate found");
  }

  private static String issuerProblem(X509Certificate[] chain) {
    X509Certificate last = chain[chain.length - 1];
    if (chain.length == 1 && last.getSubjectX500Principal().equals(last.getIssuerX500Principal())) {
      return "is self-signed, and none of the trusted ones";
    }
    return "was issued by "
        + CertificateWords.issuer(last)
        + ", which is not trusted: trust it, or have the peer send the certificates that lead to a"
        + " trusted one";
  }

  private static <X extends Throwable> @Nullable X find(Throwable failure, Class<X> type) {
    Throwable cause = failure;
    // Bounded: a chain of causes may be a circle.
    for (int depth = 0; cause != null && depth < 16; depth++) {
      if (type.isInstance(cause)) {
        return type.cast(cause);
      }
      cause = cause.getCause();
    }
    return null;
  }
}
