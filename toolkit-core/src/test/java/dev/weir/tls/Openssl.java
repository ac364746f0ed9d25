package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The command, which writes files into a directory. A test that asks for it is skipped without. */
final class Openssl {
  private final Path directory;

  private Openssl(Path directory) {
    this.directory = directory;
  }

  static Openssl in(Path directory) {
    assumeTrue(isThere(), "there is no openssl command: install the package openssl");
    return new Openssl(directory);
  }

  private static boolean isThere() {
    return Stream.of(System.getenv("PATH").split(":", -1))
        .anyMatch(place -> Files.isExecutable(Path.of(place, "openssl")));
  }

  /** {@return the file that it was told to write, which stands last in the command} */
  Path run(String command) throws IOException {
    List<String> words = List.of(("openssl " + command).split(" "));
    Path said = directory.resolve("said.txt");
    Process process =
        new ProcessBuilder(words)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("%s has ended", words).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    } finally {
      process.destroyForcibly();
    }
    assertThat(process.exitValue()).as("%s said %s", words, Files.readString(said)).isZero();
    return directory.resolve(words.getLast());
  }

  /** {@return a new key in PKCS#8, written to {@code key.pem}} */
  Path key(String algorithm) throws IOException {
    return run("genpkey -algorithm " + algorithm + " -out key.pem");
  }

  /** {@return a certificate for {@code key.pem}, written to {@code cert.pem}} */
  Path certificate() throws IOException {
    return run("req -x509 -new -key key.pem -subj /CN=test -days 2 -out cert.pem");
  }

  @Override
  public String toString() {
    return "Openssl[" + directory + "]";
  }
}
