package dev.weir.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs the tests of {@code benchmarks/compare}, which are in Python as it is. */
@Tag("once")
@Tag("slow")
@Timeout(60)
class ComparisonTest {
  @Test
  void whatIsInPythonPassesItsTests() throws IOException, InterruptedException {
    assumeTrue(runs("python3", "--version"), "there is no python3");
    Process process =
        new ProcessBuilder("python3", "-m", "unittest", "discover", "-s", "src/test/python")
            .redirectErrorStream(true)
            .start();

    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(output).isZero();
  }

  private static boolean runs(String... command) throws InterruptedException {
    try {
      return new ProcessBuilder(List.of(command)).redirectErrorStream(true).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }
}
