package dev.weir.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.Asyncio;
import dev.weir.testing.VirtualLoop;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Programs take real time, also where the loop's clock is stepped by hand. */
class VirtualSubprocessTest {
  @Test
  void aVirtualLoopWaitsForAProgram() {
    VirtualLoop.run(() -> {
      try (Subprocess cat =
          Asyncio.createSubprocessExec(List.of("cat"), SubprocessOptions.piped())) {
        assertThat(new String(cat.communicate("hello".getBytes(UTF_8)).stdout(), UTF_8))
            .isEqualTo("hello");
        assertThat(cat.returnCode()).isZero();
      }
    });
  }

  @Test
  void virtualTimePassesWhileAProgramSaysNothing() {
    VirtualLoop.run(() -> {
      try (Subprocess cat =
          Asyncio.createSubprocessExec(List.of("cat"), SubprocessOptions.piped())) {
        Duration before = Asyncio.runningLoop().time();
        Asyncio.sleep(Duration.ofHours(1));

        assertThat(Asyncio.runningLoop().time().minus(before))
            .isGreaterThanOrEqualTo(Duration.ofHours(1));
        assertThat(cat.returnCode()).isNull();
      }
    });
  }
}
