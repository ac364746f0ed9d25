package dev.weir.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.Asyncio;
import dev.weir.stream.Connection;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.Server;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import dev.weir.task.TimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What the memory network does to the bytes of one connection. */
class LinkTest {
  private static final LinkConditions PERFECT = LinkConditions.perfect();
  private static final Duration SECOND = Duration.ofSeconds(1);

  /** A connection, seen from both sides. */
  private record Both(
      StreamReader clientReader,
      StreamWriter clientWriter,
      StreamReader serverReader,
      StreamWriter serverWriter,
      Link link) {}

  private interface Scenario {
    void play(Both both) throws Exception;
  }

  private static void run(LinkConditions conditions, Scenario scenario) {
    run(conditions, VirtualOptions.defaults(), scenario);
  }

  private static void run(LinkConditions conditions, VirtualOptions options, Scenario scenario) {
    VirtualLoop.run(
        () -> {
          MemoryNetwork network = MemoryNetwork.current();
          network.setConditions(conditions);
          Loop loop = Loop.running();
          Future<StreamReader> reader = loop.createFuture();
          Future<StreamWriter> writer = loop.createFuture();
          Server server =
              Asyncio.startServer(
                  (r, w) -> {
                    w.detach();
                    reader.setResult(r);
                    writer.setResult(w);
                  },
                  "10.0.0.1",
                  80);
          try (Connection client = Asyncio.openConnection("10.0.0.1", 80);
              StreamWriter serverWriter = writer.await()) {
            server.close();
            scenario.play(
                new Both(
                    client.reader(),
                    client.writer(),
                    reader.await(),
                    serverWriter,
                    network.links().getFirst()));
          }
        },
        options);
  }

  private static Duration now() {
    return Loop.running().time();
  }

  /** Reads until the end, piece by piece. */
  private static List<String> pieces(StreamReader reader) throws Exception {
    List<String> pieces = new ArrayList<>();
    for (byte[] piece = reader.read(1 << 20); piece.length > 0; piece = reader.read(1 << 20)) {
      pieces.add(new String(piece, UTF_8));
    }
    return pieces;
  }

  @Test
  void bytesTakeTheirDelay() {
    run(
        PERFECT.withDelay(SECOND),
        both -> {
          Duration begun = now();
          both.clientWriter.write("x");
          both.serverReader.readExactly(1);

          assertThat(now().minus(begun)).isEqualTo(SECOND);
        });
  }

  @Test
  void whateverTheDelaysBytesKeepTheirOrder() {
    LinkConditions uneven = PERFECT.withDelay(Duration.ZERO, SECOND);
    for (int seed = 0; seed < 50; seed++) {
      run(
          uneven,
          VirtualOptions.seed(seed),
          both -> {
            for (int i = 0; i < 10; i++) {
              both.clientWriter.write("" + i);
              Asyncio.sleep(Duration.ofMillis(100));
            }
            both.clientWriter.writeEof();

            assertThat(String.join("", pieces(both.serverReader))).isEqualTo("0123456789");
          });
    }
  }

  @Test
  void aSlowLinkCarriesSoManyBytesPerSecond() {
    run(
        PERFECT.withBytesPerSecond(1000),
        both -> {
          Duration begun = now();
          both.clientWriter.write(new byte[10_000]);
          both.serverReader.readExactly(5_000);
          Duration half = now().minus(begun);
          both.serverReader.readExactly(5_000);
          Duration whole = now().minus(begun);

          assertThat(half).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(7));
          assertThat(whole).isEqualTo(Duration.ofSeconds(10));
        });
  }

  @Test
  void bytesArriveInPiecesOfTheSizeAskedFor() {
    run(
        PERFECT.withPieces(3, 3),
        both -> {
          both.clientWriter.write("abcd");
          both.clientWriter.write("efgh");
          both.clientWriter.writeEof();

          assertThat(pieces(both.serverReader)).containsExactly("abc", "def", "gh");
        });
  }

  @Test
  void theSeedCutsAtEveryByte() {
    Set<List<String>> cuts = new HashSet<>();
    for (int seed = 0; seed < 200; seed++) {
      run(
          PERFECT.withPieces(1, 4),
          VirtualOptions.seed(seed),
          both -> {
            both.clientWriter.write("abcd");
            both.clientWriter.writeEof();
            cuts.add(pieces(both.serverReader));
          });
    }

    assertThat(cuts).as("every way to cut four letters").hasSize(8);
  }

  @Test
  void writesOfOneRoundArriveTogether() {
    run(
        PERFECT,
        both -> {
          both.clientWriter.write("ab");
          both.clientWriter.write("cd");
          both.clientWriter.writeEof();

          assertThat(pieces(both.serverReader)).containsExactly("abcd");
        });
  }

  @Test
  void aReaderThatDoesNotReadHoldsTheWriterBack() {
    run(
        PERFECT.withWindow(1000),
        both -> {
          int[] written = {0};
          Task<?> writing =
              Asyncio.createTask(() -> {
                while (true) {
                  both.clientWriter.write(new byte[1000]);
                  written[0] += 1000;
                }
              });
          Asyncio.sleep(SECOND);
          int held = written[0];
          Asyncio.sleep(SECOND);

          assertThat(written[0])
              .as("no more than the buffers take")
              .isEqualTo(held)
              .isLessThan(300_000);
          both.serverReader.readExactly(held);
          assertThat(written[0]).as("reading makes room").isGreaterThan(held);
          writing.cancel();
        });
  }

  @Test
  void aStalledLinkCarriesNothingAndTellsNobody() {
    run(
        PERFECT,
        both -> {
          both.link.stall();
          both.clientWriter.write("x");

          assertThatThrownBy(
                  () -> Asyncio.timeout(Duration.ofDays(1)).run(t -> both.serverReader.read(1)))
              .isInstanceOf(TimeoutException.class);

          both.link.resume();
          assertThat(both.serverReader.read(1)).isEqualTo(new byte[] {'x'});
        });
  }

  @Test
  void oneDirectionStallsAlone() {
    run(
        PERFECT,
        both -> {
          both.link.stall(Link.Direction.TO_SERVER);
          both.clientWriter.write("lost in thought");
          both.serverWriter.write("x");

          assertThat(both.clientReader.read(1)).isEqualTo(new byte[] {'x'});
          both.link.resume();
          assertThat(both.serverReader.readExactly(4)).isEqualTo("lost".getBytes(UTF_8));
        });
  }

  @Test
  void aLinkStallsAfterSoManyBytes() {
    run(
        PERFECT.withStallAfter(3),
        both -> {
          both.clientWriter.write("abcdef");
          assertThat(both.serverReader.readExactly(3)).isEqualTo("abc".getBytes(UTF_8));
          Task<byte[]> rest = Asyncio.createTask(() -> both.serverReader.readExactly(3));
          Asyncio.sleep(Duration.ofDays(1));
          assertThat(rest.done()).isFalse();

          both.link.resume();
          assertThat(rest.await()).isEqualTo("def".getBytes(UTF_8));
        });
  }

  @Test
  void aResetIsSeenOnBothSidesAfterWhatHadArrived() {
    run(
        PERFECT,
        both -> {
          both.clientWriter.write("arrived");
          Asyncio.sleep(SECOND);
          both.link.reset();

          assertThat(both.serverReader.read(100)).isEqualTo("arrived".getBytes(UTF_8));
          for (StreamReader reader : List.of(both.serverReader, both.clientReader)) {
            assertThatThrownBy(() -> reader.read(1))
                .isInstanceOf(ConnectionResetException.class)
                .hasMessage("Connection reset by peer");
          }
          for (StreamWriter writer : List.of(both.serverWriter, both.clientWriter)) {
            assertThatThrownBy(() -> writer.write("x"))
                .isInstanceOf(ConnectionResetException.class);
          }
        });
  }

  @Test
  void whatIsOnTheWayIsLostInAReset() {
    run(
        PERFECT.withDelay(SECOND),
        both -> {
          both.clientWriter.write("on the way");
          Asyncio.sleep(SECOND.dividedBy(2));
          both.link.reset();

          assertThatThrownBy(() -> both.serverReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void aLinkIsResetAfterSoManyBytes() {
    run(
        PERFECT.withResetAfter(3),
        both -> {
          both.clientWriter.write("abcdef");

          assertThat(both.serverReader.read(100)).isEqualTo("abc".getBytes(UTF_8));
          assertThatThrownBy(() -> both.serverReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
          assertThatThrownBy(() -> both.clientReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void aLinkMayBeResetAsSoonAsItIsMade() {
    run(
        PERFECT.withResetAfter(0),
        both -> {
          assertThatThrownBy(() -> both.clientReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
          assertThatThrownBy(() -> both.serverReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void oneDirectionEndsAndTheOtherGoesOn() {
    run(
        PERFECT.withEndAfter(3),
        both -> {
          both.clientWriter.write("abcdef");
          assertThat(pieces(both.serverReader)).containsExactly("abc");

          both.clientWriter.write("into the void");
          both.serverWriter.write("still here");
          assertThat(both.clientReader.read(100)).isEqualTo("still here".getBytes(UTF_8));
        });
  }

  @Test
  void aTestEndsOneDirectionWhenItLikes() {
    run(
        PERFECT,
        both -> {
          both.clientWriter.write("abc");
          Asyncio.sleep(SECOND);
          both.link.end(Link.Direction.TO_SERVER);

          assertThat(pieces(both.serverReader)).containsExactly("abc");
          both.serverWriter.write("x");
          assertThat(both.clientReader.read(1)).isEqualTo(new byte[] {'x'});
        });
  }

  @Test
  void conditionsChangeWhileALinkIsOpen() {
    run(
        PERFECT,
        both -> {
          both.link.setConditions(PERFECT.withDelay(SECOND));
          Duration begun = now();
          both.clientWriter.write("x");
          both.serverReader.read(1);

          assertThat(now().minus(begun)).isEqualTo(SECOND);
        });
  }

  @Test
  void whoWritesToOneThatHasClosedIsReset() {
    run(
        PERFECT,
        both -> {
          both.serverWriter.close();
          assertThat(both.clientReader.read(1)).isEmpty();
          both.clientWriter.write("anybody?");
          Asyncio.sleep(SECOND);

          assertThatThrownBy(() -> both.clientWriter.write("nobody"))
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void whoClosesWithBytesUnreadResetsThePeer() {
    run(
        PERFECT.withPieces(1, 1),
        both -> {
          both.clientWriter.write("more than is read");
          both.serverReader.readExactly(4);
          both.serverWriter.write("bye");
          both.serverWriter.close();

          assertThat(both.clientReader.readExactly(3)).isEqualTo("bye".getBytes(UTF_8));
          assertThatThrownBy(() -> both.clientReader.read(1))
              .isInstanceOf(ConnectionResetException.class);
        });
  }

  @Test
  void nobodyIsHeldBackByAPeerThatHasClosed() {
    LinkConditions uneven = PERFECT.withDelay(Duration.ZERO, SECOND.dividedBy(5));
    for (int seed = 0; seed < 50; seed++) {
      run(
          uneven,
          VirtualOptions.seed(seed),
          both -> {
            both.serverWriter.close();

            assertThatThrownBy(
                    () -> {
                      for (int i = 0; i < 20; i++) {
                        both.clientWriter.write(new byte[64 * 1024]);
                      }
                      both.clientWriter.drain();
                      both.clientReader.read(1);
                      both.clientReader.read(1);
                      both.clientWriter.waitClosed();
                    })
                .isInstanceOf(ConnectionResetException.class);
          });
    }
  }

  @Test
  void conditionsThatMakeNoSenseAreRefused() {
    assertThatThrownBy(() -> PERFECT.withDelay(SECOND, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("not 0 <= delayMin <= delayMax: PT1S, PT0S");
    assertThatThrownBy(() -> PERFECT.withBytesPerSecond(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("bytesPerSecond < 1: 0");
    assertThatThrownBy(() -> PERFECT.withPieces(2, 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("pieceBytesMax < pieceBytesMin: 1 < 2");
    assertThatThrownBy(() -> PERFECT.withResetAfter(-1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("resetAfterBytes is negative: -1");
  }
}
