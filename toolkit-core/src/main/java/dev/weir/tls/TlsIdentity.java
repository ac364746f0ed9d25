package dev.weir.tls;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who one side is: a private key, the certificate for it, and those that lead from there to an
 * issuer that others trust. Corresponds to what {@code load_cert_chain} loads. Immutable.
 *
 * <p>The methods that read files block: call them before the loop runs, or by {@code toThread}.
 */
public final class TlsIdentity {
  private final PrivateKey privateKey;
  private final List<X509Certificate> certificates;

  private TlsIdentity(PrivateKey privateKey, List<X509Certificate> certificates) {
    this.privateKey = privateKey;
    this.certificates = certificates;
  }

  /**
   * {@return an identity}
   *
   * @param certificates the key's own first, then each issuer's
   * @throws IllegalArgumentException if there is no certificate, or the first is not for this key
   */
  public static TlsIdentity of(PrivateKey privateKey, List<X509Certificate> certificates) {
    Objects.requireNonNull(privateKey, "privateKey");
    List<X509Certificate> chain = List.copyOf(certificates);
    if (chain.isEmpty()) {
      throw new IllegalArgumentException("no certificate for the private key");
    }
    ensurePair(privateKey, chain.getFirst());
    return new TlsIdentity(privateKey, chain);
  }

  private static void ensurePair(PrivateKey privateKey, X509Certificate certificate) {
    PublicKey publicKey = certificate.getPublicKey();
    if (KeyPairs.areNoPair(privateKey, publicKey)) {
      throw new IllegalArgumentException(
          "the private key ("
              + privateKey.getAlgorithm()
              + ") is not that of the first certificate ("
              + publicKey.getAlgorithm()
              + ", "
              + CertificateWords.subject(certificate)
              + "): the key's own certificate comes first, then its issuers'");
    }
  }

  /** The same as {@link #fromPem(Path, Path, char[])} for a key without a password. */
  public static TlsIdentity fromPem(Path certificates, Path privateKey) throws IOException {
    return fromPem(certificates, privateKey, null);
  }

  /**
   * Reads an identity from two files in PEM, which may be the same. The key may be in the form of
   * PKCS#8, encrypted or not, of PKCS#1 ({@code RSA PRIVATE KEY}), or of SEC1 ({@code EC PRIVATE
   * KEY}).
   *
   * @param password for an encrypted key, else null; it is not kept
   * @throws java.nio.file.NoSuchFileException if one of the files is not there
   * @throws IOException if one cannot be read, or has not what it should have, or the password is
   *     wrong; the message says what was found, and nothing of the key
   * @throws IllegalArgumentException if the first certificate is not for this key
   */
  public static TlsIdentity fromPem(Path certificates, Path privateKey, char @Nullable [] password)
      throws IOException {
    List<X509Certificate> chain = PemFile.read(certificates).certificates();
    return of(PemFile.read(privateKey).privateKey(password), chain);
  }

  /**
   * {@return the identity in a key store that has one}
   *
   * @param password of the key
   * @throws IllegalArgumentException if there is none, or more than one; or if the password is
   *     wrong
   */
  public static TlsIdentity fromKeyStore(KeyStore store, char[] password) {
    List<String> aliases = new ArrayList<>();
    try {
      for (String alias : Collections.list(store.aliases())) {
        if (store.isKeyEntry(alias)) {
          aliases.add(alias);
        }
      }
    } catch (KeyStoreException e) {
      throw notLoaded(e);
    }
    if (aliases.isEmpty()) {
      throw new IllegalArgumentException(
          "the key store has no private key: store one with its certificates");
    }
    if (aliases.size() > 1) {
      throw new IllegalArgumentException(
          "the key store has not one key but "
              + aliases.size()
              + ": "
              + aliases
              + "; say which one with fromKeyStore(store, alias, password)");
    }
    return fromKeyStore(store, aliases.getFirst(), password);
  }

  /**
   * {@return one identity of a key store}
   *
   * @param password of the key
   * @throws IllegalArgumentException if there is no such key, or the password is wrong
   */
  public static TlsIdentity fromKeyStore(KeyStore store, String alias, char[] password) {
    try {
      Key key = store.getKey(alias, password);
      Certificate[] chain = store.getCertificateChain(alias);
      if (!(key instanceof PrivateKey privateKey) || chain == null) {
        throw new IllegalArgumentException(
            "the key store has no private key with a certificate under the alias '" + alias + "'");
      }
      return of(
          privateKey, Arrays.asList(Arrays.copyOf(chain, chain.length, X509Certificate[].class)));
    } catch (UnrecoverableKeyException e) {
      throw new IllegalArgumentException(
          "the password is not that of the key under the alias '" + alias + "'", e);
    } catch (KeyStoreException e) {
      throw notLoaded(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("the key under the alias '" + alias + "' is of no use", e);
    }
  }

  private static IllegalArgumentException notLoaded(KeyStoreException cause) {
    return new IllegalArgumentException("the key store was not loaded: call load() before", cause);
  }

  /** {@return the private key} */
  public PrivateKey privateKey() {
    return privateKey;
  }

  /** {@return the certificates, the key's own first} */
  public List<X509Certificate> certificates() {
    return certificates;
  }

  /** {@return for whom it is, without the key} */
  @Override
  public String toString() {
    return "TlsIdentity[" + CertificateWords.subject(certificates.getFirst()) + "]";
  }
}
