package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are not what they should be, and key stores. */
@Tag("once")
class TlsIdentityTest {
  private static final X509Bundle SERVER = Certificates.server("example.org");
  private static final char[] PASSWORD = "secret".toCharArray();

  @TempDir Path directory;

  private Path file(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  // --- PEM

  @Test
  void aFileWithCertificatesOnlyHasNoKey() throws IOException {
    Path certificate = file("cert.pem", SERVER.getCertificatePathPEM());

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, certificate))
        .withMessage(
            "There is not one private key in %s but 0, as it has [CERTIFICATE]: name a file with"
                + " one -----BEGIN PRIVATE KEY-----",
            certificate);
  }

  @Test
  void aFileWithTwoKeysDoesNotSayWhichOne() throws IOException {
    Path certificate = file("cert.pem", SERVER.getCertificatePathPEM());
    String pem = SERVER.getPrivateKeyPEM() + "\n";
    Path keys = file("keys.pem", pem + pem);

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, keys))
        .withMessage(
            "There is not one private key in %s but 2, as it has [PRIVATE KEY]: name a file with"
                + " one -----BEGIN PRIVATE KEY-----",
            keys)
        .satisfies(failure -> Secrets.assertShowsNothingOf(pem, failure));
  }

  @Test
  void aFileWithAKeyOnlyHasNoCertificate() throws IOException {
    Path key = file("key.pem", SERVER.getPrivateKeyPEM());

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(key, key))
        .withMessage(
            "There is no certificate in %s, which has [PRIVATE KEY]: name a file with -----BEGIN"
                + " CERTIFICATE-----",
            key)
        .satisfies(failure -> Secrets.assertShowsNothingOf(SERVER.getPrivateKeyPEM(), failure));
  }

  /** Also a file in DER. */
  @Test
  void anEmptyFileHasNothing() throws IOException {
    Path certificate = file("cert.pem", SERVER.getCertificatePathPEM());
    Path empty = file("empty.pem", "");

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(empty, empty))
        .withMessage(
            "There is no certificate in %s, which has nothing in PEM: name a file with -----BEGIN"
                + " CERTIFICATE-----",
            empty);
    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, empty))
        .withMessage(
            "There is not one private key in %s but 0, as it has nothing in PEM: name a file with"
                + " one -----BEGIN PRIVATE KEY-----",
            empty);
  }

  @Test
  void aKeyWhoseLabelIsThatOfACertificateIsNotShown() throws IOException {
    String key = SERVER.getPrivateKeyPEM();
    Path file = file("odd.pem", key.replace("PRIVATE KEY", "CERTIFICATE"));

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(file, file))
        .withMessage("A certificate in %s cannot be read: it is broken, or something else", file)
        .satisfies(failure -> Secrets.assertShowsNothingOf(key, failure));
  }

  @Test
  void whatIsNoBase64IsSaidToBeNone() throws IOException {
    Path certificate = file("cert.pem", SERVER.getCertificatePathPEM());
    Path key = file("key.pem", "-----BEGIN PRIVATE KEY-----\nMIIBA\n-----END PRIVATE KEY-----\n");

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, key))
        .withMessage("A PRIVATE KEY in %s is no Base64: it may have been cut off", key);
  }

  @Test
  void aCertificateThatIsCutOffIsRefused() throws IOException {
    byte[] half = new byte[200];
    System.arraycopy(encoded(SERVER.getCertificate()), 0, half, 0, half.length);
    Path file =
        file(
            "cut.pem",
            "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder().encodeToString(half)
                + "\n-----END CERTIFICATE-----\n");

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(file, file))
        .withMessage("A certificate in %s cannot be read: it is broken, or something else", file);
  }

  @Test
  void aBlockWithoutAnEndCountsForNothing() throws IOException {
    String pem = SERVER.getCertificatePathPEM();
    Path file = file("cut.pem", pem.substring(0, pem.indexOf("-----END")));

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(file, file))
        .withMessageContaining("nothing in PEM");
  }

  @Test
  void aFileThatIsTooLongIsNotRead() throws IOException {
    Path large = Files.write(directory.resolve("large.pem"), new byte[2 * 1024 * 1024]);

    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(large, large))
        .withMessage(
            "%s is longer than 1 MiB: name a file that has certificates or keys only", large);
  }

  @Test
  void aDirectoryIsNotRead() {
    assertThatIOException()
        .isThrownBy(() -> TlsIdentity.fromPem(directory, directory))
        .withMessage("%s is a directory: name a file in it", directory);
  }

  @Test
  void aFileThatIsNotThereIsNamed() throws IOException {
    Path certificate = file("cert.pem", SERVER.getCertificatePathPEM());
    Path missing = directory.resolve("missing.pem");

    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> TlsIdentity.fromPem(missing, certificate))
        .withMessage(missing.toString());
    assertThatExceptionOfType(NoSuchFileException.class)
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, missing))
        .withMessage(missing.toString());
  }

  // --- The object itself

  @Test
  void theCertificatesComeInTheirOrder() {
    List<X509Certificate> chain = List.of(SERVER.getCertificatePathWithRoot());
    TlsIdentity identity = TlsIdentity.of(SERVER.getKeyPair().getPrivate(), chain);

    assertThat(identity.certificates()).isEqualTo(chain).hasSize(2);
    assertThat(identity.privateKey()).isSameAs(SERVER.getKeyPair().getPrivate());
  }

  @Test
  void anIssuersCertificateBeforeTheKeysOwnIsRefused() {
    X509Certificate[] path = SERVER.getCertificatePathWithRoot();
    PrivateKey key = SERVER.getKeyPair().getPrivate();

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.of(key, List.of(path[1], path[0])))
        .withMessage(
            "the private key (EC) is not that of the first certificate (EC, CN=Weir test"
                + " authority): the key's own certificate comes first, then its issuers'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.of(key, List.of()))
        .withMessage("no certificate for the private key");
  }

  @Test
  void nothingSaysItsKey() {
    byte[] key = SERVER.getKeyPair().getPrivate().getEncoded();
    TlsIdentity identity = Certificates.identity(SERVER);
    String shown =
        identity + " " + ServerTls.of(identity) + ClientTls.defaults().withIdentity(identity);

    assertThat(identity).hasToString("TlsIdentity[CN=server]");
    assertThat(shown)
        .doesNotContain(
            Base64.getEncoder().encodeToString(key).substring(60, 70),
            HexFormat.of().formatHex(key, 40, 48));
  }

  // --- Key stores

  @Test
  void aKeyStoreWithOneKeyIsAnIdentity() throws Exception {
    TlsIdentity identity = TlsIdentity.fromKeyStore(storeWith("one"), PASSWORD);

    assertThat(identity.certificates()).containsExactly(SERVER.getCertificatePath());
    assertThat(identity.privateKey()).isEqualTo(SERVER.getKeyPair().getPrivate());
  }

  @Test
  void aKeyStoreWithTwoKeysIsAskedForOneOfThem() throws Exception {
    KeyStore store = storeWith("one", "two");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, PASSWORD))
        .withMessage(
            "the key store has not one key but 2: [one, two]; say which one with"
                + " fromKeyStore(store, alias, password)");
    assertThat(TlsIdentity.fromKeyStore(store, "two", PASSWORD))
        .hasToString("TlsIdentity[CN=server]");
  }

  @Test
  void aKeyStoreWithoutAKeyIsNoIdentity() throws Exception {
    KeyStore store = storeWith();
    store.setCertificateEntry("issuer", Certificates.AUTHORITY.getCertificate());

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, PASSWORD))
        .withMessage("the key store has no private key: store one with its certificates");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, "issuer", PASSWORD))
        .withMessage(
            "the key store has no private key with a certificate under the alias 'issuer'");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, "nobody", PASSWORD))
        .withMessage(
            "the key store has no private key with a certificate under the alias 'nobody'");
  }

  @Test
  void aWrongPasswordForAKeyStoreIsSaidToBeWrong() throws Exception {
    KeyStore store = storeWith("one");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, "geheim".toCharArray()))
        .withMessage("the password is not that of the key under the alias 'one'")
        .satisfies(failure -> Secrets.assertShowsNothingOf(SERVER.getPrivateKeyPEM(), failure))
        .satisfies(failure -> assertThat(Secrets.all(failure)).doesNotContain("geheim"));
  }

  @Test
  void aKeyStoreThatWasNotLoadedIsRefused() throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, PASSWORD))
        .withMessage("the key store was not loaded: call load() before");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromKeyStore(store, "one", PASSWORD))
        .withMessage("the key store was not loaded: call load() before");
  }

  private static KeyStore storeWith(String... aliases)
      throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    for (String alias : aliases) {
      store.setKeyEntry(
          alias, SERVER.getKeyPair().getPrivate(), PASSWORD, SERVER.getCertificatePath());
    }
    return store;
  }

  private static byte[] encoded(X509Certificate certificate) {
    try {
      return certificate.getEncoded();
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }
}
