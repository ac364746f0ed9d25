package dev.weir.tls;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A file of certificates and keys in PEM, with any text between them. */
final class PemFile {
  /**
   * Far more than a chain and a key take; a file that somebody names by mistake may be any size.
   */
  private static final int BYTES_MAX = 1024 * 1024;

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

  private static final int LABELS_SHOWN_MAX = 8;
  private static final String CERTIFICATE = "CERTIFICATE";

  private final Path path;
  private final List<Block> blocks;

  /** The text may be a key's: never shown. */
  private record Block(String label, String text) {
    @Override
    public String toString() {
      return label;
    }
  }

  private PemFile(Path path, List<Block> blocks) {
    this.path = path;
    this.blocks = blocks;
  }

  static PemFile read(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      throw new IOException(path + " is a directory: name a file in it");
    }
    byte[] content;
    try (InputStream file = Files.newInputStream(path)) {
      content = file.readNBytes(BYTES_MAX + 1);
    }
    if (content.length > BYTES_MAX) {
      throw new IOException(
          path + " is longer than 1 MiB: name a file that has certificates or keys only");
    }
    List<Block> blocks = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(new String(content, ISO_8859_1));
    while (matcher.find()) {
      blocks.add(new Block(matcher.group(1), matcher.group(2)));
    }
    return new PemFile(path, blocks);
  }

  List<X509Certificate> certificates() throws IOException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (Block block : blocks) {
      if (block.label.equals(CERTIFICATE)) {
        certificates.add(certificate(bytes(block)));
      }
    }
    if (certificates.isEmpty()) {
      throw new IOException(
          "There is no certificate in "
              + path
              + ", which has "
              + found()
              + ": name a file with -----BEGIN CERTIFICATE-----");
    }
    return certificates;
  }

  private X509Certificate certificate(byte[] encoded) throws IOException {
    try {
      return (X509Certificate)
          CertificateFactory.getInstance("X.509")
              .generateCertificate(new ByteArrayInputStream(encoded));
    } catch (CertificateException e) {
      // Without the cause, whose message shows bytes: it may be a key under a wrong label.
      throw new IOException(
          "A certificate in " + path + " cannot be read: it is broken, or something else");
    }
  }

  /**
   * {@return the one private key}
   *
   * @param password null if there is none
   */
  PrivateKey privateKey(char @Nullable [] password) throws IOException {
    List<Block> keys =
        blocks.stream().filter(block -> block.label.endsWith("PRIVATE KEY")).toList();
    if (keys.size() != 1) {
      throw new IOException(
          "There is not one private key in "
              + path
              + " but "
              + keys.size()
              + ", as it has "
              + found()
              + ": name a file with one -----BEGIN PRIVATE KEY-----");
    }
    Block key = keys.getFirst();
    if (key.text.contains("Proc-Type:")) {
      throw new IOException(
          "The key in "
              + path
              + " is encrypted in an old way that is not supported: convert it with openssl pkcs8"
              + " -topk8 -in OLD -out NEW");
    }
    try {
      return PrivateKeys.decode(key.label, bytes(key), password);
    } catch (GeneralSecurityException e) {
      // Without the cause, whose message may show a part of the key.
      throw new IOException(
          "The private key in " + path + " (" + key.label + ") cannot be read: " + e.getMessage());
    }
  }

  private byte[] bytes(Block block) throws IOException {
    try {
      return Base64.getMimeDecoder().decode(block.text);
    } catch (IllegalArgumentException e) {
      throw new IOException(
          "A " + block.label + " in " + path + " is no Base64: it may have been cut off");
    }
  }

  private String found() {
    return blocks.isEmpty()
        ? "nothing in PEM"
        : blocks.stream().map(Block::label).distinct().limit(LABELS_SHOWN_MAX).toList().toString();
  }

  @Override
  public String toString() {
    return "PemFile[" + path + ", " + blocks.size() + " blocks]";
  }
}
