package dev.weir.tls;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.RSAKey;
import org.jspecify.annotations.Nullable;

/** Finds out whether two keys belong together: what one signs, the other verifies. */
final class KeyPairs {
  private static final byte[] MESSAGE = {'p', 'a', 'i', 'r'};

  private KeyPairs() {}

  /** {@return whether they certainly do not; a key that cannot be tried may do} */
  static boolean areNoPair(PrivateKey privateKey, PublicKey publicKey) {
    if (isRsa(privateKey.getAlgorithm()) != isRsa(publicKey.getAlgorithm())) {
      return true;
    }
    // No trial: a key for RSA-PSS may allow one hash only, and those of two sizes do not verify but
    // fail.
    if (privateKey instanceof RSAKey rsaPrivate && publicKey instanceof RSAKey rsaPublic) {
      return !rsaPrivate.getModulus().equals(rsaPublic.getModulus());
    }
    String algorithm = signature(publicKey.getAlgorithm());
    if (algorithm == null) {
      return false;
    }
    Signature signing;
    try {
      signing = Signature.getInstance(algorithm);
      signing.initSign(privateKey);
      signing.update(MESSAGE);
    } catch (GeneralSecurityException e) {
      // Of another kind than the certificate's, or in a device that does not do this.
      return privateKey.getFormat() != null;
    }
    try {
      return !verifies(signing.sign(), publicKey, algorithm);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static boolean verifies(byte[] signed, PublicKey publicKey, String algorithm)
      throws GeneralSecurityException {
    Signature verifying = Signature.getInstance(algorithm);
    verifying.initVerify(publicKey);
    verifying.update(MESSAGE);
    try {
      return verifying.verify(signed);
    } catch (SignatureException e) {
      return false; // Not even of the length that this key's have: of another curve.
    }
  }

  private static boolean isRsa(String algorithm) {
    return algorithm.startsWith("RSA");
  }

  private static @Nullable String signature(String keyAlgorithm) {
    return switch (keyAlgorithm) {
      case "RSA" -> "SHA256withRSA";
      case "EC" -> "SHA256withECDSA";
      case "Ed25519", "EdDSA" -> "EdDSA";
      default -> null;
    };
  }
}
