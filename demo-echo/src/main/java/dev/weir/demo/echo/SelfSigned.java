package dev.weir.demo.echo;

import dev.weir.tls.TlsIdentity;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A key and a certificate for this machine that nobody vouches for. The JDK makes certificates by
 * its program keytool only, which is in every JDK.
 */
final class SelfSigned {
  private static final Pattern HOST_NAME = Pattern.compile("[A-Za-z][A-Za-z0-9.-]*[A-Za-z0-9]");
  private static final String PASSWORD_VARIABLE = "ECHO_STORE_PASSWORD";
  private static final int PASSWORD_BYTES = 16;

  private SelfSigned() {}

  /**
   * {@return a new identity for localhost, its addresses and the name of this machine} The key is
   * in a file for a moment, encrypted, which its owner only may read. Blocks.
   */
  static TlsIdentity forThisMachine() throws IOException {
    byte[] random = new byte[PASSWORD_BYTES];
    new SecureRandom().nextBytes(random);
    String password = HexFormat.of().formatHex(random);
    Path directory = Files.createTempDirectory("echo-tls");
    Path store = directory.resolve("store.p12");
    try {
      makeStore(store, password);
      return TlsIdentity.fromKeyStore(load(store, password), password.toCharArray());
    } finally {
      Files.deleteIfExists(store);
      Files.delete(directory);
    }
  }

  private static void makeStore(Path store, String password) throws IOException {
    Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
    ProcessBuilder builder =
        new ProcessBuilder(
                keytool.toString(),
                "-genkeypair",
                "-alias",
                "echo",
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-dname",
                "CN=echo",
                "-ext",
                "san=" + names(),
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass:env", // An argument would be there for every user to see.
                PASSWORD_VARIABLE)
            .redirectErrorStream(true);
    builder.environment().put(PASSWORD_VARIABLE, password);
    Process process = builder.start();
    process.getOutputStream().close(); // It asks nothing, and could wait for an answer otherwise.
    String output = process.inputReader().readAllAsString();
    try {
      if (process.waitFor() != 0) {
        throw new IOException("Cannot make a certificate with " + keytool + ": " + output.strip());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while " + keytool + " made a certificate", e);
    }
  }

  private static String names() {
    String names = "dns:localhost,ip:127.0.0.1,ip:::1";
    try {
      String machine = InetAddress.getLocalHost().getHostName();
      if (HOST_NAME.matcher(machine).matches()) { // Else no certificate can have it.
        return names + ",dns:" + machine;
      }
    } catch (UnknownHostException e) {
      // The machine has a name that it cannot look up itself, and nobody else can.
    }
    return names;
  }

  private static KeyStore load(Path store, String password) throws IOException {
    try (InputStream file = Files.newInputStream(store)) {
      KeyStore loaded = KeyStore.getInstance("PKCS12");
      loaded.load(file, password.toCharArray());
      return loaded;
    } catch (GeneralSecurityException e) {
      throw new IOException("Cannot read what keytool made: " + e.getMessage(), e);
    }
  }
}
