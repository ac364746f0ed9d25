package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.weir.Asyncio;
import dev.weir.pipe.ReadPipe;
import dev.weir.stream.StreamWriter;
import dev.weir.task.RunOptions;
import dev.weir.task.Task;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Standard input and output are this JVM's own, so each test has a JVM of its own. */
class StandardStreamsTest {
  private static final long FAILED_SECONDS = 30;

  @TempDir Path folder;

  private final List<Process> started = new ArrayList<>();

  @AfterEach
  void kill() {
    started.forEach(Process::destroyForcibly);
  }

  /** Says every line back, in upper case, and ends at the end of its input. */
  static final class Shouting {
    public static void main(String[] arguments) {
      Asyncio.run(() -> {
        StreamWriter output = Asyncio.standardOutput();
        try (ReadPipe input = Asyncio.standardInput();
            StreamWriter error = Asyncio.standardError()) {
          output.writeLine("ready");
          for (String line : input.reader().lines(StandardCharsets.UTF_8)) {
            output.writeLine(line.toUpperCase(Locale.ROOT));
          }
          error.writeLine("done");
        }
        output.close();
        output.waitClosed();
        IO.println("System.out is open");
      });
    }
  }

  /** Ends although nothing comes: a task that reads is cancelled. */
  static final class Impatient {
    public static void main(String[] arguments) {
      Asyncio.run(
          () -> {
            for (int i = 0; i < 3; i++) {
              try (ReadPipe input = Asyncio.standardInput()) {
                Task<byte[]> reading = Asyncio.createTask(() -> input.reader().readLine());
                Asyncio.sleep(Duration.ofMillis(1));
                reading.cancel();
                try {
                  Asyncio.standardInput();
                } catch (IllegalStateException e) {
                  IO.println(e.getMessage());
                }
              }
            }
            Asyncio.standardInput(); // Not closed: it ends with the loop.
          },
          RunOptions.defaults().withTransport("nio"));
      PipeThreads.awaitGone();
      IO.println("no thread left");
    }
  }

  private List<String> java(Class<?> main) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")); // It starts sooner.
    command.addAll(
        List.of(
            "--enable-native-access=ALL-UNNAMED",
            "--add-opens=java.base/java.lang=ALL-UNNAMED",
            "-Dweir.fibers=" + System.getProperty("weir.fibers"),
            "-cp",
            ChildJvm.classPath(),
            main.getName()));
    return command;
  }

  private Process start(List<String> command) throws IOException {
    Process process = new ProcessBuilder(command).start();
    started.add(process);
    return process;
  }

  private static int exit(Process process) throws InterruptedException {
    assertThat(process.waitFor(FAILED_SECONDS, TimeUnit.SECONDS)).as("ends").isTrue();
    return process.exitValue();
  }

  @Test
  void linesFromAPipeAreAnsweredAtOnceAndTheEndEndsIt() throws Exception {
    Process shouting = start(java(Shouting.class));
    var input = shouting.outputWriter();
    try (var output = shouting.inputReader()) {
      assertThat(output.readLine()).isEqualTo("ready");
      for (String line : List.of("hello", "again")) {
        input.write(line + "\n");
        input.flush();
        assertThat(output.readLine()).isEqualTo(line.toUpperCase(Locale.ROOT));
      }
      input.close();

      assertThat(output.readLine()).isEqualTo("System.out is open");
      assertThat(output.readLine()).isNull();
    }
    assertThat(shouting.errorReader().readLine()).isEqualTo("done");
    assertThat(exit(shouting)).isZero();
  }

  @Test
  void aNamedPipeWhoseWriterHasFinishedIsReadToItsEnd() throws Exception {
    String fifo = "'" + folder.resolve("fifo") + "'";
    String quoted = "'" + String.join("' '", java(Shouting.class)) + "'";
    String script =
        "mkfifo FIFO; (echo hello > FIFO) & exec < FIFO; wait; exec ".replace("FIFO", fifo);
    Process shouting = start(List.of("sh", "-c", script + quoted));
    try (var output = shouting.inputReader()) {
      assertThat(output.readLine()).isEqualTo("ready");
      assertThat(output.readLine()).isEqualTo("HELLO");
      assertThat(output.readLine()).isEqualTo("System.out is open");
    }
    assertThat(exit(shouting)).isZero();
  }

  /** The terminal is the one that {@code script} makes; it echoes what is typed. */
  @Test
  void linesFromATerminalAreAnsweredAtOnceAndControlDEndsIt() throws Exception {
    assumeTrue(ForeignProgram.isInstalled("script"), "script is not installed on this machine");
    String quoted = "'" + String.join("' '", java(Shouting.class)) + "'";
    Process script = start(List.of("script", "-qec", quoted, "/dev/null"));
    var input = script.outputWriter();
    var output = script.inputReader();
    assertThat(output.readLine()).isEqualTo("ready");
    for (String line : List.of("hello", "again")) {
      input.write(line + "\n");
      input.flush();
      assertThat(output.readLine()).isEqualTo(line);
      assertThat(output.readLine()).isEqualTo(line.toUpperCase(Locale.ROOT));
    }
    input.write(4);
    input.flush();

    assertThat(output.readAllAsString()).contains("done", "System.out is open");
    assertThat(exit(script)).isZero();
  }

  @Test
  void filesWorkToo() throws Exception {
    Path from = Files.writeString(folder.resolve("in"), "one\ntwo");
    Path to = Files.writeString(folder.resolve("out"), "before\n");
    Process shouting =
        new ProcessBuilder(java(Shouting.class))
            .redirectInput(from.toFile())
            .redirectOutput(ProcessBuilder.Redirect.appendTo(to.toFile()))
            .start();
    started.add(shouting);

    assertThat(exit(shouting)).isZero();
    assertThat(to).hasContent("before\nready\nONE\nTWO\nSystem.out is open\n");
  }

  @Test
  void nothingToReadIsTheEnd() throws Exception {
    Process shouting =
        new ProcessBuilder(java(Shouting.class)).redirectInput(new File("/dev/null")).start();
    started.add(shouting);

    assertThat(shouting.inputReader().readAllAsString()).isEqualTo("ready\nSystem.out is open\n");
    assertThat(exit(shouting)).isZero();
  }

  @Test
  void oneReaderAtATimeAndNoneStaysWhenNothingComes() throws Exception {
    Process impatient = start(java(Impatient.class)); // Its input stays open, and silent.

    try (var output = impatient.inputReader()) {
      for (int i = 0; i < 3; i++) {
        assertThat(output.readLine()).startsWith("Standard input is read already");
      }
      assertThat(output.readLine()).isEqualTo("no thread left");
    }
    assertThat(exit(impatient)).isZero();
  }
}
