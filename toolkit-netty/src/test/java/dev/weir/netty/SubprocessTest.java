package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.process.ChildProcess;
import dev.weir.process.NoSuchProcessException;
import dev.weir.process.ProcessOutput;
import dev.weir.process.Redirection;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.spi.TransportProtocol;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.LimitOverrunException;
import dev.weir.stream.StreamOptions;
import dev.weir.stream.TransportStreams;
import dev.weir.task.CancelledError;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** What programs say, how they end, and what it costs them to be wrong. */
@ExtendWith(LeakCheck.class)
class SubprocessTest {
  private static final SubprocessOptions PIPED = SubprocessOptions.piped();

  @TempDir Path folder;

  private static Subprocess sh(String script) throws IOException {
    return Asyncio.createSubprocessShell(script, PIPED);
  }

  // --- Talking

  @EachTransport
  void catSaysBackWhatItIsTold(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = Asyncio.createSubprocessExec(List.of("cat"), PIPED)) {
            for (String line : List.of("hello\n", "again\n")) {
              cat.stdin().write(line);
              assertThat(text(cat.stdout().readLine())).isEqualTo(line);
            }
            assertThat(cat.returnCode()).isNull();
            cat.stdin().writeEof();

            assertThat(cat.stdout().readLine()).isEmpty();
            assertThat(cat.awaitExit()).isZero();
            assertThat(cat.returnCode()).isZero();
          }
        });
  }

  @EachTransport
  void communicateCollectsBothOutputs(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess sh = sh("cat; echo wrong >&2; exit 7")) {
            ProcessOutput said = sh.communicate(bytes("input"));

            assertThat(text(said.stdout())).isEqualTo("input");
            assertThat(text(said.stderr())).isEqualTo("wrong\n");
            assertThat(sh.returnCode()).isEqualTo(7);
          }
        });
  }

  @EachTransport
  void communicateEndsTheInputAlsoIfThereIsNone(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = Asyncio.createSubprocessExec(List.of("cat"), PIPED)) {
            assertThat(cat.communicate().stdout()).isEmpty();
          }
        });
  }

  /** 2 MiB in every build; {@code -Dweir.test.communicateMiB=100} for the full size. */
  @EachTransport
  void communicateMovesMuchThroughCat(String transport) {
    byte[] input = much();
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = exec("cat")) {
            assertThat(cat.communicate(input, input.length).stdout()).isEqualTo(input);
          }
        });
  }

  @EachTransport
  void communicateMovesMuchBothWaysAtOnce(String transport) {
    byte[] input = much();
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess tee = sh("tee /dev/stderr")) {
            ProcessOutput said = tee.communicate(input, input.length);

            assertThat(said.stdout()).isEqualTo(input);
            assertThat(said.stderr()).isEqualTo(input);
          }
        });
  }

  /** {@return two mebibytes, or as many as the property says} */
  private static byte[] much() {
    byte[] input = new byte[Integer.getInteger("weir.test.communicateMiB", 2) << 20];
    for (int i = 0; i < input.length; i++) {
      input[i] = (byte) (i * 31 >> 4);
    }
    return input;
  }

  @EachTransport
  void aProgramThatDoesNotWantItsInputIsNoError(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess sh = sh("echo enough")) {
            assertThat(text(sh.communicate(new byte[4 << 20]).stdout())).isEqualTo("enough\n");
            assertThat(sh.returnCode()).isZero();
          }
        });
  }

  @EachTransport
  void writingToAProgramThatHasEndedFails(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess process = Asyncio.createSubprocessExec(List.of("true"), PIPED)) {
            process.awaitExit();

            assertThatThrownBy(
                    () -> {
                      while (true) {
                        process.stdin().write("anybody there?");
                        Asyncio.yieldNow();
                      }
                    })
                .isInstanceOf(ConnectionResetException.class)
                .hasMessageContaining("Broken pipe");
          }
        });
  }

  @EachTransport
  void aProgramThatHasEndedHoldsNoThreadAndItsInputCanStillBeEnded(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Subprocess process = Asyncio.createSubprocessExec(List.of("true"), PIPED);
          process.awaitExit();
          PipeThreads.untilGone();

          process.stdin().writeEof();
          process.stdin().waitClosed();
        });
  }

  @EachTransport
  void whatIsUnsentWhenTheProgramEndsReachesWhoReadsOn(String transport) {
    Path end = folder.resolve("end");
    Path read = folder.resolve("read");
    OnLoop.run(
        transport,
        () -> {
          makeFifo(end);
          makeFifo(read);
          String reader = "(read go < '" + read + "'; wc -c <&3) & ";
          try (Subprocess sh = sh("exec 3<&0; " + reader + "read go < '" + end + "'")) {
            sh.stdin().setWriteBufferLimits(1 << 20, 0);
            sh.stdin().write(new byte[200_000]);
            OnLoop.onWorker(() -> Files.writeString(end, "go\n")).await();
            assertThat(sh.awaitExit()).isZero();
            OnLoop.onWorker(() -> Files.writeString(read, "go\n")).await();

            assertThat(text(sh.stdout().readAll()).strip()).isEqualTo("200000");
          }
        });
  }

  @EachTransport
  void outputWithoutEndIsAnErrorAndKillsTheProgram(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess yes = Asyncio.createSubprocessExec(List.of("yes"), PIPED)) {
            assertThatThrownBy(() -> yes.communicate(new byte[0], 1000))
                .isInstanceOf(LimitOverrunException.class)
                .hasMessageContaining("longer than 1000 bytes");
            assertThat(yes.awaitExit()).isEqualTo(-9);
          }
        });
  }

  @EachTransport
  void aMistakeOfWhoCommunicatesKillsNothing(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = exec("cat")) {
            Task<?> reading = Asyncio.createTask(() -> cat.stdout().readLine());
            OnLoop.passRounds(3);
            assertThatThrownBy(cat::communicate)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("another task waits");
            cat.stdin().close();
            reading.await();

            assertThat(cat.awaitExit()).isZero();
          }
          try (Subprocess cat = exec("cat")) {
            cat.stdin().setWriteBufferLimits(1 << 20, 0);
            cat.stdin().write(new byte[1 << 20]);
            cat.stdin().writeEof();
            assertThatThrownBy(() -> cat.communicate(bytes("too late")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("writeEof()");

            assertThat(cat.communicate().stdout()).hasSize(1 << 20);
            assertThat(cat.returnCode()).isZero();
          }
        });
  }

  @EachTransport
  void outputWithoutEndWaitsForWhoReadsIt(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess yes = Asyncio.createSubprocessExec(List.of("yes"), PIPED)) {
            for (int i = 0; i < 100_000; i++) {
              assertThat(yes.stdout().readLine()).hasSize(2);
            }
          }
        });
  }

  @EachTransport
  void errorsCanGoWithTheOutput(String transport) {
    SubprocessOptions together =
        SubprocessOptions.defaults().withStdout(Redirection.PIPE).withStderr(Redirection.STDOUT);
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess sh =
              Asyncio.createSubprocessShell("echo out; echo err >&2; echo out", together)) {
            ProcessOutput said = sh.communicate();

            assertThat(text(said.stdout())).isEqualTo("out\nerr\nout\n");
            assertThat(said.stderr()).isEmpty();
          }
        });
  }

  @EachTransport
  void whatAGrandchildWritesAfterTheChildHasEndedArrives(String transport) {
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    OnLoop.run(
        transport,
        () -> {
          makeFifo(first);
          makeFifo(second);
          String late = "read go < '" + first + "'; echo late; ";
          String later = "read go < '" + second + "'; echo later";
          try (Subprocess sh = sh("(" + late + later + ") & echo early")) {
            assertThat(sh.awaitExit()).isZero();
            assertThat(text(sh.stdout().readLine())).isEqualTo("early\n");

            OnLoop.onWorker(() -> Files.writeString(first, "go\n")).await();
            assertThat(text(sh.stdout().readLine())).isEqualTo("late\n");
            OnLoop.onWorker(() -> Files.writeString(second, "go\n")).await();
            assertThat(text(sh.stdout().readAll())).isEqualTo("later\n");
          }
        });
  }

  @EachTransport
  void closingLeavesNoThreadThatWaitsForAGrandchild(String transport) {
    Path gate = folder.resolve("gate");
    OnLoop.run(
        transport,
        () -> {
          makeFifo(gate);
          long grandchild;
          try (Subprocess sh = sh("(read go < '" + gate + "') & echo $!; cat")) {
            grandchild = Long.parseLong(text(sh.stdout().readLine()).strip());
            OnLoop.passRoundsUntil(() -> PipeThreads.countIn("read0", "readBytes") == 2);
            sh.stdin().writeEof();
            assertThat(sh.awaitExit()).isZero();
          }
          PipeThreads.untilGone();

          assertThat(Children.isAlive(grandchild)).isTrue();
          OnLoop.onWorker(() -> Files.writeString(gate, "go\n")).await();
        });
  }

  private static void makeFifo(Path path) throws IOException {
    try (Subprocess mkfifo = Asyncio.createSubprocessExec("mkfifo", path.toString())) {
      assertThat(mkfifo.awaitExit()).isZero();
    }
  }

  // --- How it is started

  @EachTransport
  void environmentAndDirectoryAreTheOnesAskedFor(String transport) {
    SubprocessOptions options =
        PIPED
            .withEnvironment("WEIR_ADDED", "a value")
            .withEnvironment("PATH", "/usr/bin:/bin")
            .withEnvironment("HOME", null)
            .withWorkingDirectory(folder);
    OnLoop.run(
        transport,
        () -> {
          String script = "echo \"$WEIR_ADDED\"; echo \"$PATH\"; echo \"${HOME-none}\"; pwd -P";
          try (Subprocess sh = Asyncio.createSubprocessShell(script, options)) {
            assertThat(text(sh.communicate().stdout()))
                .isEqualTo("a value\n/usr/bin:/bin\nnone\n" + folder.toRealPath() + "\n");
          }
        });
  }

  @EachTransport
  void filesAndNothingCanBeRedirectedTo(String transport) throws IOException {
    Path in = Files.writeString(folder.resolve("in"), "from a file\n");
    Path out = folder.resolve("out");
    SubprocessOptions options =
        SubprocessOptions.defaults()
            .withStdin(Redirection.file(in))
            .withStdout(Redirection.file(out))
            .withStderr(Redirection.DISCARD);
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess sh = Asyncio.createSubprocessShell("cat; echo dropped >&2", options)) {
            assertThat(sh.awaitExit()).isZero();
          }
          SubprocessOptions more =
              options.withStdin(Redirection.DISCARD).withStdout(Redirection.append(out));
          try (Subprocess sh = Asyncio.createSubprocessShell("cat; echo more", more)) {
            assertThat(sh.awaitExit()).isZero();
          }
        });

    assertThat(out).hasContent("from a file\nmore\n");
  }

  @EachTransport
  void aStreamThatIsNoPipeSaysHowToGetOne(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess process = Asyncio.createSubprocessExec("true")) {
            assertThatThrownBy(process::stdin)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("withStdin(Redirection.PIPE)");
            assertThatThrownBy(process::stdout).hasMessageContaining("withStdout(Redirection.PIPE");
            assertThatThrownBy(process::stderr).hasMessageContaining("withStderr(Redirection.PIPE");
            assertThatThrownBy(() -> process.communicate(bytes("input")))
                .isInstanceOf(IllegalStateException.class);
            assertThat(process.communicate().stdout()).isEmpty();
          }
        });
  }

  @EachTransport
  void whatCannotBeStartedSaysWhy(String transport) throws IOException {
    Path notExecutable = Files.writeString(folder.resolve("script"), "#!/bin/sh\n");
    Path noInterpreter = Files.writeString(folder.resolve("broken"), "#!/no/such/shell\n");
    assertThat(noInterpreter.toFile().setExecutable(true)).isTrue();
    PipeThreads.awaitGone();
    OnLoop.run(
        transport,
        () -> {
          makeFifo(folder.resolve("warm-up"));
          long open = Descriptors.open();
          assertThatThrownBy(() -> exec("no-such-program"))
              .isInstanceOf(NoSuchFileException.class)
              .hasMessage("no-such-program: no such program");
          assertThatThrownBy(() -> exec(notExecutable.toString()))
              .isInstanceOf(AccessDeniedException.class)
              .hasMessage(notExecutable + ": not executable");
          assertThatThrownBy(() -> exec(noInterpreter.toString()))
              .isInstanceOf(NoSuchFileException.class)
              .hasMessageContaining("what is to interpret it");
          assertThatThrownBy(() ->
                  Asyncio.createSubprocessExec(
                      List.of("true"), PIPED.withWorkingDirectory(folder.resolve("none"))))
              .isInstanceOf(NoSuchFileException.class)
              .hasMessageContaining("no such working directory");
          assertThatThrownBy(() ->
                  Asyncio.createSubprocessExec(
                      List.of("true"), PIPED.withWorkingDirectory(notExecutable)))
              .isInstanceOf(NotDirectoryException.class);
          assertThatThrownBy(() ->
                  Asyncio.createSubprocessExec(
                      List.of("cat"), PIPED.withStdin(Redirection.file(folder.resolve("none")))))
              .isInstanceOf(NoSuchFileException.class)
              .hasMessageContaining("none");
          assertThatThrownBy(() -> exec("echo", "a\0b"))
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("NUL");
          assertThatThrownBy(() -> exec())
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("empty");
          assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
          assertThat(Children.pids()).isEmpty();
        });
  }

  @EachTransport
  void aStartThatFailsHalfWayLeavesNothing(String transport) {
    OnLoop.run(
        transport,
        () -> {
          makeFifo(folder.resolve("warm-up"));
          long open = Descriptors.open();
          ChildProcess.Events failing =
              new ChildProcess.Events() {
                @Override
                public TransportProtocol protocol(int descriptor) {
                  if (descriptor == 2) {
                    throw new IllegalStateException("no more of them");
                  }
                  return new TransportStreams(Loop.running(), StreamOptions.defaults()).protocol();
                }

                @Override
                public void exited() {}
              };
          assertThatThrownBy(() -> ChildProcess.start(List.of("cat"), PIPED, failing))
              .hasMessage("no more of them");

          PipeThreads.untilGone();
          OnLoop.passRoundsUntil(() -> Children.pids().isEmpty());
          assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
        });
  }

  private static Subprocess exec(String... command) throws IOException {
    return Asyncio.createSubprocessExec(List.of(command), PIPED);
  }

  // --- How it ends

  @EachTransport
  void exitStatusAndSignalsAreTold(String transport) {
    OnLoop.run(
        transport,
        () -> {
          assertThat(exitOf("exit 0")).isZero();
          assertThat(exitOf("exit 3")).isEqualTo(3);
          assertThat(exitOf("exit 128")).isEqualTo(128);
          assertThat(exitOf("exit 255")).isEqualTo(255);
          assertThat(exitOf("kill -KILL $$")).isEqualTo(-9);
          assertThat(exitOf("kill -SEGV $$")).isEqualTo(-11);
          assertThat(exitOf("exit 137")).as("which the JVM does not tell apart").isEqualTo(-9);
        });
  }

  private static int exitOf(String script) throws IOException {
    try (Subprocess sh = Asyncio.createSubprocessShell(script)) {
      return sh.awaitExit();
    }
  }

  @EachTransport
  void itCanBeTerminatedKilledAndSignalled(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = exec("cat")) {
            cat.terminate();
            assertThat(cat.awaitExit()).isEqualTo(-15);
          }
          try (Subprocess cat = exec("cat")) {
            cat.kill();
            assertThat(cat.awaitExit()).isEqualTo(-9);
          }
          try (Subprocess sh =
              sh("trap 'echo caught; exit 5' USR1; echo ready; while :; do read line; done")) {
            assertThat(text(sh.stdout().readLine())).isEqualTo("ready\n");
            assertThatThrownBy(() -> sh.sendSignal("NONSENSE"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NONSENSE");
            assertThatThrownBy(() -> sh.sendSignal("a b"))
                .isInstanceOf(IllegalArgumentException.class);
            sh.sendSignal("SIGUSR1");
            sh.stdin().write("\n"); // A shell looks at traps between two commands.

            assertThat(text(sh.stdout().readLine())).isEqualTo("caught\n");
            assertThat(sh.awaitExit()).isEqualTo(5);
          }
        });
  }

  @EachTransport
  void aProcessThatHasEndedTakesNoSignal(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess process = exec("true")) {
            process.awaitExit();

            assertThatThrownBy(process::kill)
                .isInstanceOf(NoSuchProcessException.class)
                .hasMessageContaining("has ended, with 0");
            assertThatThrownBy(process::terminate).isInstanceOf(NoSuchProcessException.class);
            for (String signal : List.of("TERM", "KILL", "USR1")) {
              assertThatThrownBy(() -> process.sendSignal(signal))
                  .isInstanceOf(NoSuchProcessException.class);
            }
          }
        });
  }

  @EachTransport
  void anyNumberOfTasksMayWaitAndBeCancelled(String transport) {
    OnLoop.run(
        transport,
        () -> {
          try (Subprocess cat = exec("cat")) {
            Task<Integer> first = Asyncio.createTask(cat::awaitExit);
            Task<Integer> second = Asyncio.createTask(cat::awaitExit);
            Task<Integer> third = Asyncio.createTask(cat::awaitExit);
            OnLoop.passRounds(3);
            second.cancel();
            assertThatThrownBy(second::await).isInstanceOf(CancelledError.class);
            assertThat(Children.isAlive(cat.pid())).isTrue();
            cat.stdin().writeEof();

            assertThat(Asyncio.gather(List.<Future<Integer>>of(first, third)).await())
                .containsExactly(0, 0);
            assertThat(cat.awaitExit()).isZero();
          }
        });
  }

  @EachTransport
  void theEndOfTheScopeKillsWhatStillRuns(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Subprocess sleeping = exec("sleep", "1000");
          try (sleeping) {
            assertThat(Children.isAlive(sleeping.pid())).isTrue();
          }
          sleeping.close();

          assertThat(sleeping.awaitExit()).isEqualTo(-9);
          assertThat(sleeping.stdout().readAll()).isEmpty();
          PipeThreads.untilGone();
        });
  }

  @EachTransport
  void whatIsStillThereWhenTheLoopEndsIsKilled(String transport) {
    PipeThreads.awaitGone();
    long open = Descriptors.open();
    long[] pid = new long[1];
    OnLoop.run(
        transport,
        () -> {
          Subprocess sleeping = exec("sleep", "1000");
          sleeping.stdin().write(new byte[60_000]);
          pid[0] = sleeping.pid();
        });

    PipeThreads.awaitGone();
    assertThat(Descriptors.open()).isLessThanOrEqualTo(open);
    OnLoop.failIfItHangs(() -> {
      while (Children.isAlive(pid[0])) {
        Thread.onSpinWait();
      }
    });
  }
}
