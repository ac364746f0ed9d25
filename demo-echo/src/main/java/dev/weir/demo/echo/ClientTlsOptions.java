package dev.weir.demo.echo;

import dev.weir.stream.ConnectOptions;
import dev.weir.tls.ClientTls;
import dev.weir.tls.TlsSession;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the client that say whether it speaks TLS, and whom it trusts. */
final class ClientTlsOptions {
  @Option(
      names = "--tls",
      description =
          "Speak TLS. The server's certificate has to be for HOST, and for localhost with --unix.")
  private boolean tls;

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description =
          "With --tls: trust the certificates in this file, in PEM, instead of the system's.")
  private @Nullable Path trusted;

  @Option(
      names = "--insecure",
      description =
          "With --tls: accept any certificate. Whoever is on the way can read everything and change"
              + " it.")
  private boolean insecure;

  @Spec(Spec.Target.MIXEE)
  private @Nullable CommandSpec command;

  /**
   * {@return how to connect} Reads the file. Blocks.
   *
   * @throws ParameterException if the options do not go together
   * @throws IOException if the file cannot be read, or has no certificate
   */
  ConnectOptions read() throws IOException {
    ConnectOptions options = ConnectOptions.defaults();
    if (!tls) {
      if (trusted != null || insecure) {
        String option = trusted != null ? "--ca" : "--insecure";
        throw wrong(option + " is for TLS only: write --tls, too");
      }
      return options;
    }
    if (trusted != null && insecure) {
      throw wrong("--ca says whom to trust, and --insecure to trust anybody: write one of them");
    }
    ClientTls whom =
        insecure
            ? ClientTls.defaults().withoutCertificateCheck()
            : trusted != null ? ClientTls.defaults().withTrustedPem(trusted) : ClientTls.defaults();
    return options.withTls(whom);
  }

  private ParameterException wrong(String message) {
    return new ParameterException(asked(), message);
  }

  private CommandLine asked() {
    return Objects.requireNonNull(command, "set by picocli").commandLine();
  }

  /** Says that nobody knows who the server is, if it was not asked. */
  void warnIfUnchecked(@Nullable TlsSession session) {
    if (insecure && session != null) {
      asked()
          .getErr()
          .println(
              "echo: warning: --insecure: this may be anybody's server; its certificate is"
                  + " SHA-256 "
                  + Fingerprint.sha256(session.peerCertificates().getFirst()));
    }
  }
}
