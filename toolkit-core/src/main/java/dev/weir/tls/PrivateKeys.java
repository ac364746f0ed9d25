package dev.weir.tls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKey;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * From the forms of private keys that are about to the JDK's, which knows PKCS#8 alone: the others
 * are put into its envelope.
 */
final class PrivateKeys {
  private static final String TO_PKCS8 =
      "convert it with openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW";

  private static final String[] ALGORITHMS = {"RSA", "EC", "EdDSA", "RSASSA-PSS", "DSA"};

  // Tags of DER.

  private static final int SEQUENCE = 0x30;
  private static final int INTEGER = 0x02;
  private static final int OCTET_STRING = 0x04;
  private static final int PARAMETERS = 0xA0;

  private static final byte[] VERSION_0 = {INTEGER, 1, 0};

  /** The object identifier of rsaEncryption, and no parameters. */
  private static final byte[] RSA = {
    0x06,
    0x09,
    0x2A,
    (byte) 0x86,
    0x48,
    (byte) 0x86,
    (byte) 0xF7,
    0x0D,
    0x01,
    0x01,
    0x01,
    0x05,
    0x00
  };

  /** The object identifier of id-ecPublicKey, whose parameters are the curve. */
  private static final byte[] EC = {
    0x06, 0x07, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 0x02, 0x01
  };

  private PrivateKeys() {}

  /**
   * {@return the key}
   *
   * @param label as in PEM
   * @param password null if there is none
   */
  static PrivateKey decode(String label, byte[] encoded, char @Nullable [] password)
      throws GeneralSecurityException {
    return switch (label) {
      case "PRIVATE KEY" -> fromPkcs8(new PKCS8EncodedKeySpec(encoded));
      case "ENCRYPTED PRIVATE KEY" -> fromPkcs8(decrypted(encoded, password));
      case "RSA PRIVATE KEY" -> fromPkcs8(new PKCS8EncodedKeySpec(envelope(RSA, encoded)));
      case "EC PRIVATE KEY" -> {
        byte[] algorithm = joined(EC, curve(encoded));
        yield fromPkcs8(new PKCS8EncodedKeySpec(envelope(algorithm, encoded)));
      }
      default -> throw new InvalidKeyException("this form is not known: " + TO_PKCS8);
    };
  }

  private static PrivateKey fromPkcs8(PKCS8EncodedKeySpec encoded) throws GeneralSecurityException {
    for (String algorithm : ALGORITHMS) {
      try {
        return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
      } catch (InvalidKeySpecException e) {
        // Of another algorithm, or broken.
      }
    }
    throw new InvalidKeyException(
        "it is broken, or of none of the algorithms "
            + Arrays.toString(ALGORITHMS)
            + ", or of a curve that the JDK does not know");
  }

  private static PKCS8EncodedKeySpec decrypted(byte[] encoded, char @Nullable [] password)
      throws GeneralSecurityException {
    if (password == null) {
      throw new InvalidKeyException("it is encrypted: say its password");
    }
    ensureAscii(password);
    EncryptedPrivateKeyInfo info = encryptedKey(encoded);
    String algorithm = encryption(info);
    PBEKeySpec spec = new PBEKeySpec(password);
    try {
      SecretKey key = SecretKeyFactory.getInstance(algorithm).generateSecret(spec);
      Cipher cipher = Cipher.getInstance(algorithm);
      cipher.init(Cipher.DECRYPT_MODE, key, info.getAlgParameters());
      return info.getKeySpec(cipher);
    } catch (NoSuchAlgorithmException e) {
      throw unknownEncryption();
    } catch (GeneralSecurityException e) {
      throw new InvalidKeyException("the password is wrong, or the key is broken");
    } finally {
      spec.clearPassword();
    }
  }

  /** The JDK refuses others as it refuses a wrong password. */
  private static void ensureAscii(char[] password) throws InvalidKeyException {
    for (char c : password) {
      if (c < ' ' || c > '~') {
        throw new InvalidKeyException(
            "the password has a character that the JDK does not take, since it is none of ASCII"
                + " that prints: if it is right, give the key another with openssl pkcs8 -topk8 -in"
                + " OLD -out NEW");
      }
    }
  }

  private static EncryptedPrivateKeyInfo encryptedKey(byte[] encoded) throws InvalidKeyException {
    try {
      return new EncryptedPrivateKeyInfo(encoded);
    } catch (IOException e) {
      throw unknownEncryption();
    }
  }

  /** Of the newer scheme the JDK says the algorithm in the parameters only. */
  private static String encryption(EncryptedPrivateKeyInfo info) throws InvalidKeyException {
    String name = info.getAlgName();
    if (!name.equals("PBES2") && !name.startsWith("1.2.")) {
      return name;
    }
    AlgorithmParameters parameters = info.getAlgParameters();
    if (parameters == null) {
      throw unknownEncryption();
    }
    return parameters.toString();
  }

  private static InvalidKeyException unknownEncryption() {
    return new InvalidKeyException(
        "it is broken, or encrypted in a way that the JDK does not know: convert it with openssl"
            + " pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW");
  }

  // --- DER

  private static byte[] envelope(byte[] algorithm, byte[] key) {
    return element(
        SEQUENCE,
        joined(joined(VERSION_0, element(SEQUENCE, algorithm)), element(OCTET_STRING, key)));
  }

  /** {@return the curve, which SEC1 has within the key: SEQUENCE { 1, the key, [0] curve, ... }} */
  private static byte[] curve(byte[] sec1) throws InvalidKeyException {
    try {
      int at = contentStart(sec1, 0); // Into the sequence,
      at = end(sec1, at); // past the version
      at = end(sec1, at); // and past the key.
      if ((sec1[at] & 0xFF) == PARAMETERS) {
        return Arrays.copyOfRange(sec1, contentStart(sec1, at), end(sec1, at));
      }
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      // Said below.
    }
    throw new InvalidKeyException("it is broken, or does not say its curve: " + TO_PKCS8);
  }

  private static int contentStart(byte[] der, int at) {
    int length = der[at + 1] & 0xFF;
    return at + 2 + (length < 0x80 ? 0 : length - 0x80);
  }

  private static int end(byte[] der, int at) {
    int length = der[at + 1] & 0xFF;
    int start = contentStart(der, at);
    if (length >= 0x80) {
      length = 0;
      for (int i = at + 2; i < start; i++) {
        length = (length << 8) | (der[i] & 0xFF);
      }
    }
    if (length < 0 || length > der.length - start) {
      throw new IllegalArgumentException("longer than the key");
    }
    return start + length;
  }

  private static byte[] element(int tag, byte[] content) {
    ByteArrayOutputStream element = new ByteArrayOutputStream();
    element.write(tag);
    int length = content.length;
    if (length < 0x80) {
      element.write(length);
    } else {
      int bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
      element.write(0x80 + bytes);
      for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        element.write(length >> shift);
      }
    }
    element.writeBytes(content);
    return element.toByteArray();
  }

  private static byte[] joined(byte[] first, byte[] second) {
    byte[] joined = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, joined, first.length, second.length);
    return joined;
  }
}
