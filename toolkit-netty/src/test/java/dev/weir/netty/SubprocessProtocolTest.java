package dev.weir.netty;

import static dev.weir.netty.RawPeer.bytes;
import static dev.weir.netty.RawPeer.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.process.NoSuchProcessException;
import dev.weir.process.Redirection;
import dev.weir.process.SubprocessOptions;
import dev.weir.protocol.Attached;
import dev.weir.protocol.Protocol;
import dev.weir.protocol.ReadTransport;
import dev.weir.protocol.SubprocessProtocol;
import dev.weir.protocol.SubprocessTransport;
import dev.weir.protocol.Transport;
import dev.weir.protocol.WriteBufferLimits;
import dev.weir.protocol.WriteTransport;
import dev.weir.stream.StreamOptions;
import dev.weir.task.ExceptionContext;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Subprocesses and named pipes for code that wants callbacks. */
@ExtendWith(LeakCheck.class)
class SubprocessProtocolTest {
  @TempDir Path folder;

  /** Notes what happens to its process. */
  private static class Noting implements SubprocessProtocol {
    final List<String> events = new ArrayList<>();
    final ByteArrayOutputStream[] received = {
      null, new ByteArrayOutputStream(), new ByteArrayOutputStream()
    };
    final Future<@Nullable Void> lost = Loop.running().createFuture();

    @Override
    public void connectionMade(SubprocessTransport transport) {
      events.add("made");
    }

    @Override
    public void pipeDataReceived(int descriptor, byte[] data) throws IOException {
      received[descriptor].write(data);
    }

    @Override
    public void pipeConnectionLost(int descriptor, @Nullable Throwable cause) {
      events.add("pipe " + descriptor + " lost" + (cause == null ? "" : ": " + cause.getMessage()));
    }

    @Override
    public void processExited() {
      events.add("exited");
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      events.add("lost");
      lost.setResult(null);
    }

    @Override
    public void pauseWriting() {
      events.add("pause");
    }

    @Override
    public void resumeWriting() {
      events.add("resume");
    }

    String text(int descriptor) {
      return RawPeer.text(received[descriptor].toByteArray());
    }
  }

  @EachTransport
  void everythingIsToldAndTheLossComesLast(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> sh =
              Asyncio.subprocessShell(Noting::new, "cat; echo err >&2; exit 4");
          Noting noting = sh.protocol();
          assertThat(noting.events).containsExactly("made");
          WriteTransport stdin = sh.transport().stdin();
          stdin.write(bytes("one "));
          stdin.writeLines(List.of(bytes("two "), bytes("three")));
          stdin.writeEof();
          assertThatThrownBy(() -> stdin.write(bytes("four")))
              .isInstanceOf(IllegalStateException.class);
          noting.lost.await();

          assertThat(noting.text(1)).isEqualTo("one two three");
          assertThat(noting.text(2)).isEqualTo("err\n");
          assertThat(sh.transport().returnCode()).isEqualTo(4);
          assertThat(noting.events)
              .containsExactlyInAnyOrder(
                  "made", "pipe 0 lost", "pipe 1 lost", "pipe 2 lost", "exited", "lost")
              .startsWith("made")
              .endsWith("lost");
          assertThatThrownBy(sh.transport()::kill).isInstanceOf(NoSuchProcessException.class);
          PipeThreads.untilGone();
        });
  }

  @EachTransport
  void theInputThatNobodyWroteOrClosedEndsWithTheProcess(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> process =
              Asyncio.subprocessExec(Noting::new, List.of("true"));
          process.protocol().lost.await();

          assertThat(process.protocol().events).contains("pipe 0 lost", "exited").endsWith("lost");
          assertThat(process.transport().stdin().isClosing()).isTrue();
          PipeThreads.untilGone();
        });
  }

  @EachTransport
  void closingKillsItAndTheExitFollows(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> cat =
              Asyncio.subprocessExec(Noting::new, List.of("cat"));
          assertThat(Children.isAlive(cat.transport().pid())).isTrue();
          cat.transport().close();
          assertThat(cat.transport().isClosing()).isTrue();
          cat.protocol().lost.await();

          assertThat(cat.transport().returnCode()).isEqualTo(-9);
          assertThat(cat.protocol().events)
              .contains("pipe 0 lost", "pipe 1 lost", "pipe 2 lost", "exited")
              .endsWith("lost");
        });
  }

  @EachTransport
  void theWaterMarksOfTheOptionsHold(String transport) {
    OnLoop.run(
        transport,
        () -> {
          SubprocessOptions options =
              SubprocessOptions.piped()
                  .withStream(StreamOptions.defaults().withWriteLimits(2000, 1000));
          Attached<SubprocessTransport, Noting> sleeping =
              Asyncio.subprocessExec(Noting::new, List.of("sleep", "60"), options);
          WriteTransport stdin = sleeping.transport().stdin();
          assertThat(stdin.writeBufferLimits()).isEqualTo(new WriteBufferLimits(1000, 2000));
          stdin.write(new byte[2000]);
          assertThat(sleeping.protocol().events).containsExactly("made");
          stdin.write(new byte[1]);
          assertThat(sleeping.protocol().events).containsExactly("made", "pause");

          stdin.setWriteBufferLimits(4000, 4000);
          assertThat(sleeping.protocol().events).containsExactly("made", "pause", "resume");
          sleeping.transport().close();
          sleeping.protocol().lost.await();
        });
  }

  @EachTransport
  void writingIsPausedAndResumed(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> cat =
              Asyncio.subprocessExec(Noting::new, List.of("cat"));
          WriteTransport stdin = cat.transport().stdin();
          ReadTransport stdout = (ReadTransport) cat.transport().pipeTransport(1);
          stdout.pauseReading();
          assertThat(stdout.isReading()).isFalse();
          stdin.write(new byte[1 << 20]);
          assertThat(cat.protocol().events).containsExactly("made", "pause");
          OnLoop.passRounds(100);
          assertThat(cat.protocol().events).containsExactly("made", "pause");
          stdout.resumeReading();
          stdin.writeEof();
          cat.protocol().lost.await();

          assertThat(cat.protocol().received[1].size()).isEqualTo(1 << 20);
          assertThat(cat.protocol().events).startsWith("made", "pause", "resume");
        });
  }

  @EachTransport
  void whatAReadUnderWayBringsWaitsForTheEndOfAPause(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> cat =
              Asyncio.subprocessExec(Noting::new, List.of("cat"));
          WriteTransport stdin = cat.transport().stdin();
          ReadTransport stdout = (ReadTransport) cat.transport().pipeTransport(1);
          OnLoop.passRoundsUntil(() -> PipeThreads.countIn("read0", "readBytes") == 2);
          stdout.pauseReading();
          stdin.write(bytes("hello"));
          OnLoop.passRoundsUntil(() -> PipeThreads.countIn("read0", "readBytes") == 1);
          OnLoop.passRounds(3);
          assertThat(cat.protocol().text(1)).isEmpty();

          stdout.resumeReading();
          assertThat(cat.protocol().text(1)).as("within the call").isEmpty();
          stdin.writeEof();
          cat.protocol().lost.await();
          assertThat(cat.protocol().text(1)).isEqualTo("hello");
        });
  }

  @EachTransport
  void closedInAPauseAPipeBringsNothingMore(String transport) {
    OnLoop.run(
        transport,
        () -> {
          Attached<SubprocessTransport, Noting> cat =
              Asyncio.subprocessExec(Noting::new, List.of("cat"));
          ReadTransport stdout = (ReadTransport) cat.transport().pipeTransport(1);
          OnLoop.passRoundsUntil(() -> PipeThreads.countIn("read0", "readBytes") == 2);
          stdout.pauseReading();
          cat.transport().stdin().write(bytes("hello"));
          OnLoop.passRoundsUntil(() -> PipeThreads.countIn("read0", "readBytes") == 1);
          OnLoop.passRounds(3);
          cat.transport().close();
          cat.protocol().lost.await();

          assertThat(cat.protocol().text(1)).isEmpty();
        });
  }

  @EachTransport
  void whatIsNoPipeHasNoTransport(String transport) {
    OnLoop.run(
        transport,
        () -> {
          SubprocessOptions options = SubprocessOptions.piped().withStdin(Redirection.DISCARD);
          Attached<SubprocessTransport, Noting> cat =
              Asyncio.subprocessExec(Noting::new, List.of("cat"), options);

          assertThat(cat.transport().pipeTransport(0)).isNull();
          assertThatThrownBy(() -> cat.transport().stdin())
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("withStdin(Redirection.PIPE)");
          assertThatThrownBy(() -> cat.transport().pipeTransport(3))
              .isInstanceOf(IllegalArgumentException.class);
          cat.protocol().lost.await();
        });
  }

  @EachTransport
  void aCallbackThatFailsClosesItsPipe(String transport) {
    List<ExceptionContext> reports =
        OnLoop.runAndCollectReports(
            transport,
            () -> {
              Noting failing =
                  new Noting() {
                    @Override
                    public void pipeDataReceived(int descriptor, byte[] data) {
                      throw new IllegalStateException("no more of this");
                    }
                  };
              Asyncio.subprocessShell(() -> failing, "echo out; cat");
              OnLoop.passRoundsUntil(() -> failing.events.contains("pipe 1 lost: no more of this"));
            });

    assertThat(reports).hasSize(1);
    assertThat(reports.getFirst().message()).contains("pipeDataReceived()");
  }

  @EachTransport
  void whatCannotBeStartedIsThrown(String transport) {
    OnLoop.run(
        transport,
        () ->
            assertThatThrownBy(
                    () -> Asyncio.subprocessExec(Noting::new, List.of("no-such-program")))
                .isInstanceOf(NoSuchFileException.class));
  }

  /** Collects what comes out of a pipe. */
  private static final class Collecting implements Protocol {
    final ByteArrayOutputStream received = new ByteArrayOutputStream();
    final Future<@Nullable Void> lost = Loop.running().createFuture();

    @Override
    public void dataReceived(byte[] data) throws IOException {
      received.write(data);
    }

    @Override
    public void connectionLost(@Nullable Throwable cause) {
      lost.setResult(null);
    }
  }

  @EachTransport
  void namedPipesHaveProtocolsToo(String transport) {
    Path path = folder.resolve("fifo");
    OnLoop.run(
        transport,
        () -> {
          try (var mkfifo = Asyncio.createSubprocessExec("mkfifo", path.toString())) {
            assertThat(mkfifo.awaitExit()).isZero();
          }
          Task<Attached<Transport, Collecting>> opening =
              Asyncio.createTask(() -> Asyncio.<Collecting>connectReadPipe(Collecting::new, path));
          Attached<Transport, Collecting> out =
              Asyncio.<Collecting>connectWritePipe(Collecting::new, path);
          Attached<Transport, Collecting> in = opening.await();
          out.transport().write(bytes("hello"));
          assertThatThrownBy(() -> in.transport().write(bytes("the wrong way")))
              .isInstanceOf(UnsupportedOperationException.class);
          out.transport().close();
          out.protocol().lost.await();
          in.protocol().lost.await();

          assertThat(text(in.protocol().received.toByteArray())).isEqualTo("hello");
          PipeThreads.untilGone();
        });
  }
}
