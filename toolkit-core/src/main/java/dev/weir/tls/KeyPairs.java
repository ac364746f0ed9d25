package dev.weir.tls;

import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
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
      byte[] signed = signing.sign();
      Signature verifying = Signature.getInstance(algorithm);
      verifying.initVerify(publicKey);
      verifying.update(MESSAGE);
      return !verifying.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
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
