package dev.weir.netty;

import dev.weir.tls.TlsIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.List;

/** What programs of others are told by files: certificates and keys, as PEM. */
record PemFiles(String certificates, String key) {
  static PemFiles write(Path directory, String name, TlsIdentity identity) throws IOException {
    Path key = directory.resolve(name + ".key");
    Files.writeString(key, block("PRIVATE KEY", identity.privateKey().getEncoded()));
    return new PemFiles(write(directory, name, identity.certificates()), key.toString());
  }

  static String write(Path directory, String name, List<X509Certificate> certificates)
      throws IOException {
    StringBuilder blocks = new StringBuilder();
    try {
      for (X509Certificate certificate : certificates) {
        blocks.append(block("CERTIFICATE", certificate.getEncoded()));
      }
    } catch (CertificateEncodingException e) {
      throw new AssertionError(e);
    }
    return Files.writeString(directory.resolve(name + ".pem"), blocks).toString();
  }

  private static String block(String label, byte[] content) {
    String lines = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
    return "-----BEGIN " + label + "-----\n" + lines + "\n-----END " + label + "-----\n";
  }
}
