package dev.weir.demo.echo;

import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsIdentity;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the server that say with which certificate it speaks TLS. */
final class ServerTlsOptions {
  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description =
          "Speak TLS, with the certificate in this file, in PEM: the server's own first, then its"
              + " issuers'. --tls-key has the key for it.")
  private @Nullable Path certificate;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "The private key for --tls-cert, in PEM; it may be the same file.")
  private @Nullable Path key;

  @Option(
      names = "--tls-self-signed",
      description =
          "Speak TLS, with a new certificate that nobody vouches for, for localhost and the name of"
              + " this machine. To try things; clients need --insecure.")
  private boolean selfSigned;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  /**
   * {@return how connections are secured, or null if they are not} Reads the files. Blocks.
   *
   * @throws ParameterException if the options do not go together
   * @throws IOException if a file cannot be read, or has not what it should have
   */
  @Nullable ServerTls read() throws IOException {
    if (selfSigned) {
      if (certificate != null || key != null) {
        throw wrong(
            "--tls-self-signed makes a certificate of its own: write it, or --tls-cert and"
                + " --tls-key");
      }
      return ServerTls.of(SelfSigned.forThisMachine());
    }
    if (certificate == null && key == null) {
      return null;
    }
    if (key == null) {
      throw wrong("--tls-cert is half of it: write --tls-key FILE, too, with its private key");
    }
    if (certificate == null) {
      throw wrong("--tls-key is half of it: write --tls-cert FILE, too, with its certificate");
    }
    return ServerTls.of(TlsIdentity.fromPem(certificate, key));
  }

  private ParameterException wrong(String message) {
    return new ParameterException(Objects.requireNonNull(command).commandLine(), message);
  }

  /** Says of a certificate that was made how it can be recognised. */
  void announce(ServerTls tls) {
    TlsIdentity identity = tls.identity();
    if (selfSigned && identity != null) {
      IO.println(
          "for trying things only: nobody vouches for its certificate, SHA-256 "
              + Fingerprint.sha256(identity.certificates().getFirst()));
    }
  }
}
