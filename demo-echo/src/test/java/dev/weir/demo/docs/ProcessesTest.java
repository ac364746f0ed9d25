package dev.weir.demo.docs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessesTest {
  @TempDir Path folder;

  @Test
  void aProgramsFailureIsTold() {
    Asyncio.run(() ->
        assertThatThrownBy(() -> Processes.branch(folder.resolve("none")))
            .isInstanceOf(IOException.class)
            .hasMessageContaining("none"));
  }

  @Test
  void aProgramAnswersQuestions() {
    Asyncio.run(() ->
        assertThat(Processes.ask(List.of("cat"), List.of("one", "two")))
            .containsExactly("one", "two"));
  }

  @Test
  void aProgramRunsToItsEnd() {
    Asyncio.run(
        () -> assertThat(Processes.runToTheEnd(List.of("sh", "-c", "exit 3"))).isEqualTo(3));
  }
}
