package dev.weir.netty;

import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.process.ProcessOutput;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.task.CancelledError;
import dev.weir.task.Task;
import dev.weir.testing.CancelEverywhere;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Subprocesses whose task is cancelled, at every moment: nothing is left running, or open. */
@ExtendWith(LeakCheck.class)
class SubprocessCancelTest {
  private static final SubprocessOptions PIPED = SubprocessOptions.piped();

  @EachTransport
  void cancelledAnywhereTheScopeEndsTheChild(String transport) {
    OnLoop.run(
        transport,
        () -> {
          untilNothingIsLeft();
          int cancelled =
              CancelEverywhere.run(
                  Object::new,
                  _ -> {
                    try (Subprocess cat = Asyncio.createSubprocessExec(List.of("cat"), PIPED)) {
                      cat.stdin().write("x");
                      assertThat(cat.stdout().read(1)).hasSize(1);
                      cat.sendSignal("INT");
                      assertThat(cat.awaitExit()).isEqualTo(-2);
                    }
                  },
                  _ -> untilNothingIsLeft());

          assertThat(cancelled).as("start, read, signal, exit").isGreaterThanOrEqualTo(8);
        });
  }

  @EachTransport
  void cancelledAnywhereCommunicateLeavesTheProcessUsable(String transport) {
    OnLoop.run(
        transport,
        () -> {
          int cancelled =
              CancelEverywhere.run(
                  () -> Asyncio.createSubprocessShell("echo out; cat; echo err >&2", PIPED),
                  sh -> sh.communicate(new byte[0]),
                  sh -> {
                    try (sh) {
                      sh.communicate();
                      assertThat(sh.returnCode()).isZero();
                    }
                    untilNothingIsLeft();
                  });

          assertThat(cancelled).isPositive();
        });
  }

  @EachTransport
  void whatCommunicateHadReadWhenItWasCancelledIsStillThere(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess sh =
              Asyncio.createSubprocessShell("echo before; read go; echo after", PIPED)) {
            Task<?> communicating = Asyncio.createTask(() -> sh.communicate("go".getBytes()));
            communicating.cancel();
            assertThatThrownBy(communicating::await).isInstanceOf(CancelledError.class);
            Task<byte[]> reading = Asyncio.createTask(() -> sh.stdout().readAll());
            OnLoop.passRounds(50);
            reading.cancel();
            assertThatThrownBy(reading::await).isInstanceOf(CancelledError.class);

            assertThat(text(sh.communicate("go\n".getBytes()).stdout()))
                .isEqualTo("before\nafter\n");
          }
        });
  }

  @EachTransport
  void anOutputThatHadEndedWhenCommunicateWasCancelledIsStillThere(
      String transport, @TempDir Path folder) {
    Path gate = folder.resolve("gate");
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess mkfifo = Asyncio.createSubprocessExec("mkfifo", gate.toString())) {
            assertThat(mkfifo.awaitExit()).isZero();
          }
          String script = "echo out; exec >&-; read go < '" + gate + "'; echo err >&2";
          try (Subprocess sh = Asyncio.createSubprocessShell(script, PIPED)) {
            Task<?> communicating = Asyncio.createTask(() -> sh.communicate());
            OnLoop.passRoundsUntil(() -> sh.stdout().atEof());
            OnLoop.passRounds(3);
            communicating.cancel();
            assertThatThrownBy(communicating::await).isInstanceOf(CancelledError.class);
            OnLoop.onWorker(() -> Files.writeString(gate, "go\n")).await();

            ProcessOutput said = sh.communicate();
            assertThat(text(said.stdout())).isEqualTo("out\n");
            assertThat(text(said.stderr())).isEqualTo("err\n");
            assertThat(sh.communicate().stdout()).as("it was told").isEmpty();
          }
        });
  }

  private static void untilNothingIsLeft() {
    OnLoop.passRoundsUntil(() -> PipeThreads.alive().isEmpty() && Children.pids().isEmpty());
  }
}
