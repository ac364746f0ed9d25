package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every form of a key that the openssl command writes: read, or refused with what to do. */
@Tag("once")
class TlsIdentityPemTest {
  private static final String RSA = "RSA -pkeyopt rsa_keygen_bits:2048";
  private static final String P256 = "EC -pkeyopt ec_paramgen_curve:P-256";
  private static final String ENCRYPT = "pkcs8 -topk8 -in key.pem -passout pass:secret ";

  @TempDir Path directory;
  private Openssl openssl;

  @BeforeEach
  void needOpenssl() {
    openssl = Openssl.in(directory);
  }

  // --- Forms that are read

  @ParameterizedTest
  @ValueSource(
      strings = {
        RSA,
        "RSA-PSS -pkeyopt rsa_keygen_bits:2048",
        "RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha384"
            + " -pkeyopt rsa_pss_keygen_mgf1_md:sha384 -pkeyopt rsa_pss_keygen_saltlen:48",
        P256,
        "EC -pkeyopt ec_paramgen_curve:P-384",
        "EC -pkeyopt ec_paramgen_curve:P-521",
        "ED25519",
        "ED448"
      })
  void aKeyInPkcs8IsRead(String algorithm) throws IOException {
    Path key = openssl.key(algorithm);

    assertIsRead(openssl.certificate(), key, null);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-v2 aes-256-cbc",
        "-v2 aes-128-cbc -v2prf hmacWithSHA512",
        "-v2 aes-256-cbc -v2prf hmacWithSHA1 -iter 10",
        "-v1 PBE-SHA1-3DES",
      })
  void anEncryptedKeyIsReadWithItsPassword(String encryption) throws IOException {
    openssl.key(P256);
    Path certificate = openssl.certificate();
    Path encrypted = openssl.run(ENCRYPT + encryption + " -out encrypted.pem");

    assertIsRead(certificate, encrypted, "secret");
  }

  @Test
  void anRsaKeyInPkcs1IsRead() throws IOException {
    openssl.key(RSA);
    Path certificate = openssl.certificate();
    Path key = openssl.run("rsa -in key.pem -traditional -out old.pem");
    assertThat(key).content().startsWith("-----BEGIN RSA PRIVATE KEY-----");

    assertIsRead(certificate, key, null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"prime256v1", "secp384r1", "secp521r1"})
  void aKeyInSec1IsReadWithItsParametersBeforeIt(String curve) throws IOException {
    Path key = openssl.run("ecparam -genkey -name " + curve + " -out key.pem");
    assertThat(key).content().startsWith("-----BEGIN EC PARAMETERS-----");

    assertIsRead(openssl.certificate(), key, null);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-no_public "})
  void aKeyInSec1IsReadWithoutParametersBeforeIt(String option) throws IOException {
    openssl.key(P256);
    Path certificate = openssl.certificate();
    Path key = openssl.run("ec -in key.pem " + option + "-out old.pem");
    assertThat(key).content().startsWith("-----BEGIN EC PRIVATE KEY-----");

    assertIsRead(certificate, key, null);
  }

  @Test
  void keyAndCertificatesMayBeInOneFileWithTextBetweenThemAndLinesThatEndAsOnWindows()
      throws IOException {
    Path key = openssl.key(P256);
    openssl.certificate();
    Path told = openssl.run("x509 -in cert.pem -text -out told.pem");
    String both = "The key:\n" + Files.readString(key) + "\nIts certificate:\n";
    Path file = directory.resolve("both.pem");
    String twice = both + Files.readString(told) + "and an issuer\n" + Files.readString(told);
    Files.writeString(file, twice.replace("\n", "\r\n"));

    TlsIdentity identity = TlsIdentity.fromPem(file, file);

    assertThat(identity.certificates()).hasSize(2);
    assertThat(identity).hasToString("TlsIdentity[CN=test]");
  }

  private void assertIsRead(Path certificate, Path key, String password) throws IOException {
    TlsIdentity identity =
        TlsIdentity.fromPem(certificate, key, password == null ? null : password.toCharArray());

    assertThat(identity.certificates()).hasSize(1);
    assertThat(identity.privateKey().getEncoded()).isNotEmpty();
    assertThat(identity).hasToString("TlsIdentity[CN=test]");
  }

  // --- Forms that are not

  @Test
  void anEncryptedKeyIsNotReadWithoutItsPassword() throws IOException {
    openssl.key(P256);
    Path encrypted = openssl.run(ENCRYPT + "-out encrypted.pem");

    assertRefused(
        encrypted,
        null,
        "The private key in %s (ENCRYPTED PRIVATE KEY) cannot be read: it is encrypted: say its"
            + " password");
  }

  @ParameterizedTest
  @ValueSource(strings = {"geheim", ""})
  void aWrongPasswordIsSaidToBeWrong(String password) throws IOException {
    openssl.key(P256);
    Path encrypted = openssl.run(ENCRYPT + "-out encrypted.pem");

    assertRefused(
        encrypted,
        password,
        "The private key in %s (ENCRYPTED PRIVATE KEY) cannot be read: the password is wrong, or"
            + " the key is broken");
  }

  @Test
  void aPasswordThatTheJdkCannotUseIsNotSaidToBeWrong() throws IOException {
    openssl.key(P256);
    Path encrypted = openssl.run(ENCRYPT + "-out encrypted.pem");

    assertRefused(
        encrypted,
        "größe",
        "The private key in %s (ENCRYPTED PRIVATE KEY) cannot be read: the password has a"
            + " character that the JDK does not take, since it is none of ASCII that prints: if it"
            + " is right, give the key another with openssl pkcs8 -topk8 -in OLD -out NEW");
  }

  @ParameterizedTest
  @ValueSource(strings = {"-scrypt", "-v2 camellia-256-cbc", "-v2 des3", "-v1 PBE-SHA1-2DES"})
  void anEncryptionThatTheJdkDoesNotKnowIsNotTakenForAWrongPassword(String encryption)
      throws IOException {
    openssl.key(P256);
    Path encrypted = openssl.run(ENCRYPT + encryption + " -out encrypted.pem");

    assertRefused(encrypted, "secret", UNKNOWN_ENCRYPTION);
  }

  @ParameterizedTest
  @CsvSource({"rsa -traditional, " + RSA, "ec, " + P256})
  void aKeyEncryptedInTheOldWayIsRefused(String command, String algorithm) throws IOException {
    openssl.key(algorithm);
    Path old = openssl.run(command + " -in key.pem -aes256 -passout pass:secret -out old.pem");

    assertRefused(
        old,
        "secret",
        "The key in %s is encrypted in an old way that is not supported: convert it with openssl"
            + " pkcs8 -topk8 -in OLD -out NEW");
  }

  @Test
  void aKeyThatDoesNotSignIsRefused() throws IOException {
    assertRefused(openssl.key("X25519"), null, NO_ALGORITHM);
  }

  @Test
  void aCurveThatIsWrittenOutIsRefused() throws IOException {
    assertRefused(
        openssl.run("ecparam -genkey -name prime256v1 -param_enc explicit -out key.pem"),
        null,
        NO_ALGORITHM.replace("PRIVATE KEY", "EC PRIVATE KEY"));
  }

  private static final String UNKNOWN_ENCRYPTION =
      "The private key in %s (ENCRYPTED PRIVATE KEY) cannot be read: it is broken, or encrypted in"
          + " a way that the JDK does not know: convert it with openssl pkcs8 -topk8 -v2"
          + " aes-256-cbc -in OLD -out NEW";

  private static final String NO_ALGORITHM =
      "The private key in %s (PRIVATE KEY) cannot be read: it is broken, or of none of the"
          + " algorithms [RSA, EC, EdDSA, RSASSA-PSS, DSA], or of a curve that the JDK does not"
          + " know";

  @Test
  void aFormOfOneAlgorithmOnlyIsRefused() throws IOException {
    openssl.run("genpkey -genparam -algorithm DSA -pkeyopt dsa_paramgen_bits:1024 -out p.pem");
    openssl.run("genpkey -paramfile p.pem -out key.pem");

    assertRefused(
        openssl.run("pkey -in key.pem -traditional -out old.pem"),
        null,
        "The private key in %s (DSA PRIVATE KEY) cannot be read: this form is not known: convert"
            + " it with openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW");
  }

  @ParameterizedTest
  @ValueSource(strings = {RSA, "RSA-PSS -pkeyopt rsa_keygen_bits:2048", P256, "ED25519"})
  void aKeyThatIsCutOffIsRefusedInEachForm(String algorithm) throws IOException {
    String pem = Files.readString(openssl.key(algorithm));
    String[] lines = pem.split("\n", -1);
    // Base64 still, and DER no more.
    String cut =
        lines[0] + "\n" + lines[1].substring(0, 40) + "\n" + pem.substring(pem.indexOf("-----END"));
    Path file = Files.writeString(directory.resolve("cut.pem"), cut);

    assertRefused(file, null, NO_ALGORITHM);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 12, 16, 20, 40, 60})
  void aKeyInSec1ThatIsCutOffBeforeItsCurveIsRefused(int chars) throws IOException {
    openssl.key(P256);
    Path key = openssl.run("ec -in key.pem -out old.pem");
    String text = Files.readString(key).replaceAll("-----.*-----|\n", "").substring(0, chars);
    Files.writeString(
        key, "-----BEGIN EC PRIVATE KEY-----\n" + text + "\n-----END EC PRIVATE KEY-----\n");

    assertRefused(
        key,
        null,
        "The private key in %s (EC PRIVATE KEY) cannot be read: it is broken, or does not say its"
            + " curve: convert it with openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW");
  }

  @Test
  void anEncryptedKeyThatIsCutOffIsRefused() throws IOException {
    openssl.key(P256);
    Path key = openssl.run(ENCRYPT + "-out encrypted.pem");
    String text = Files.readString(key).replaceAll("-----.*-----|\n", "").substring(0, 100);
    Files.writeString(
        key,
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n" + text + "\n-----END ENCRYPTED PRIVATE KEY-----");

    assertRefused(key, "secret", UNKNOWN_ENCRYPTION);
  }

  private void assertRefused(Path key, String password, String message) throws IOException {
    openssl.run("genpkey -algorithm ED25519 -out other.pem");
    Path certificate =
        openssl.run("req -x509 -new -key other.pem -subj /CN=other -days 2 -out other-cert.pem");
    String secrets = Files.readString(key);

    assertThatIOException()
        .isThrownBy(() ->
            TlsIdentity.fromPem(certificate, key, password == null ? null : password.toCharArray()))
        .withMessage(message, key)
        .satisfies(failure -> {
          Secrets.assertShowsNothingOf(secrets, failure);
          if (password != null && !password.isEmpty()) {
            assertThat(failure.getMessage()).doesNotContain(password);
          }
        });
  }

  // --- Keys of others

  @ParameterizedTest
  @CsvSource({
    RSA + ", " + RSA + ", RSA, RSA",
    RSA + ", RSA -pkeyopt rsa_keygen_bits:3072, RSA, RSA",
    "RSA-PSS, RSA-PSS, RSASSA-PSS, RSASSA-PSS",
    P256 + ", " + P256 + ", EC, EC",
    P256 + ", EC -pkeyopt ec_paramgen_curve:P-384, EC, EC",
    "EC -pkeyopt ec_paramgen_curve:P-384, " + P256 + ", EC, EC",
    "ED25519, ED25519, EdDSA, EdDSA",
    "ED25519, ED448, EdDSA, EdDSA",
    "ED448, ED25519, EdDSA, EdDSA",
    RSA + ", " + P256 + ", RSA, EC",
    P256 + ", " + RSA + ", EC, RSA",
    P256 + ", ED25519, EC, EdDSA",
    "ED25519, " + P256 + ", EdDSA, EC"
  })
  void theKeyOfAnotherCertificateIsRefused(
      String algorithm, String certified, String name, String certifiedName) throws IOException {
    openssl.key(certified);
    Path certificate = openssl.certificate();
    Path key = openssl.key(algorithm);

    assertThatIllegalArgumentException()
        .isThrownBy(() -> TlsIdentity.fromPem(certificate, key))
        .withMessage(
            "the private key (%s) is not that of the first certificate (%s, CN=test): the key's own"
                + " certificate comes first, then its issuers'",
            name, certifiedName)
        .satisfies(failure -> {
          try {
            Secrets.assertShowsNothingOf(Files.readString(key), failure);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        });
  }
}
