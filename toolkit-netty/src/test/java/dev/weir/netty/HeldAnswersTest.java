package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import java.io.IOException;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What is written in answer to a part of a large message may wait a round for what is written in
 * answer to the next one, and never longer.
 */
@ExtendWith(LeakCheck.class)
class HeldAnswersTest {
  /** As much as one read takes. */
  private static final int READ_BYTES = 64 * 1024;

  @EachTransport
  void whatAnswersAPartOfALargeMessageIsSentWithWhatAnswersTheNext(String transport) {
    byte[] large = new byte[256 * READ_BYTES];
    OnLoop.withPeer(
        transport,
        peer -> {
          Future<Void> sending = peer.sendInBackground(large);
          int answers = 0;
          int held = 0;
          for (int left = large.length; left > 0; answers++) {
            left -= peer.reader().read(READ_BYTES).length;
            // The kernel takes a few bytes at once: what is there is held.
            held += peer.writer().writeBufferSize() > 0 ? 1 : 0;
            peer.writer().write("a");
          }

          sending.await();
          assertThat(held).isPositive();
          assertThat(peer.receive(answers)).hasSize(answers);
        });
  }

  @EachTransportAndIoUring
  void anAnswerLeavesThoughNoMoreOfTheMessageComes(String transport) {
    OnLoop.withPeer(
        transport,
        peer -> {
          for (int i = 0; i < 100; i++) { // Not each read gets all at once.
            Future<Void> sending = peer.sendInBackground(new byte[READ_BYTES]);
            peer.reader().readExactly(READ_BYTES);
            peer.writer().write("a");
            assertThat(peer.receive(1)).isEqualTo(RawPeer.bytes("a"));
            sending.await();
          }
        });
  }

  @EachTransport
  void aWriterThatWaitsForRoomDoesNotWaitForMoreOfTheMessage(String transport) {
    StreamOptions noRoom = StreamOptions.defaults().withWriteLimits(0, 0);
    OnLoop.withPeer(
        transport,
        noRoom,
        peer -> {
          byte[] large = new byte[64 * READ_BYTES];
          Future<Void> sending = peer.sendInBackground(large);
          for (int left = large.length; left > 0; ) {
            left -= peer.reader().read(READ_BYTES).length;
            peer.writer().write("a");
            OnLoop.passRounds(1);

            assertThat(peer.writer().writeBufferSize()).isZero();
          }
          sending.await();
        });
  }

  @EachTransportAndIoUring
  void whatIsHeldIsSentBeforeTheLoopEnds(String transport) {
    RawPeer[] left = new RawPeer[1];
    OnLoop.run(
        transport,
        () -> {
          RawPeer peer = RawPeer.connect(StreamOptions.defaults());
          left[0] = peer;
          Future<Void> sending = peer.sendInBackground(new byte[READ_BYTES]);
          peer.reader().readExactly(READ_BYTES);
          sending.await();
          peer.send(new byte[READ_BYTES]);
          peer.reader().readExactly(READ_BYTES);
          peer.writer().write("last");
        });

    OnLoop.failIfItHangs(() -> {
      try (var socket = left[0].socket()) {
        assertThat(socket.getInputStream().readAllBytes()).isEqualTo(RawPeer.bytes("last"));
      } catch (IOException e) {
        throw new AssertionError(e);
      }
    });
  }
}
