package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.stream.StreamOptions;
import dev.weir.task.Future;
import dev.weir.task.Loop;
import dev.weir.task.RunOptions;
import java.io.IOException;
import java.net.Socket;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What is written in answer to a part of a large message may be held for what is written in answer
 * to the next one: until the second poll behind it, and no longer.
 */
@ExtendWith(LeakCheck.class)
class HeldAnswersTest {
  /** As much as one read takes. */
  private static final int READ_BYTES = 64 * 1024;

  /** So many parts of a message that some reads surely get as much as they can. */
  private static final int PARTS = 256;

  @EachTransport
  void whatAnswersAPartOfALargeMessageIsSentWithWhatAnswersTheNext(String transport) {
    byte[] large = new byte[PARTS * READ_BYTES];
    OnLoop.withPeer(
        transport,
        peer -> {
          Future<Void> sending = peer.sendInBackground(large);
          byte answers = 0;
          int held = 0;
          for (int left = large.length; left > 0; ) {
            left -= peer.reader().read(READ_BYTES).length;
            // The kernel takes a few bytes at once: what is there is held.
            held += peer.writer().writeBufferSize() > 0 ? 1 : 0;
            peer.writer().write(new byte[] {answers++});
          }

          sending.await();
          assertThat(held).isPositive();
          byte next = 0;
          for (byte answer : peer.receive(answers & 0xFF)) {
            assertThat(answer).isEqualTo(next++);
          }
        });
  }

  @EachTransport
  void whatWasHeldOnceIsSentThoughMoreOfTheMessageComes(String transport) {
    byte[] large = new byte[PARTS * READ_BYTES];
    OnLoop.withPeer(
        transport,
        peer -> {
          Future<Void> sending = peer.sendInBackground(large);
          int held = 0;
          int left = large.length;
          while (left > 3 * READ_BYTES) {
            left -= peer.reader().read(READ_BYTES).length;
            peer.writer().write("a");
            left -= peer.reader().read(READ_BYTES).length;
            held += peer.writer().writeBufferSize() > 0 ? 1 : 0;
            left -= peer.reader().read(READ_BYTES).length;

            assertThat(peer.writer().writeBufferSize()).isZero();
          }
          peer.reader().readExactly(left);
          sending.await();
          assertThat(held).isPositive();
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
  void whileWritingIsPausedNothingIsHeld(String transport) {
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
  void whatIsHeldIsSentBeforeARunOfTheLoopEnds(String transport) throws IOException {
    OnLoop.assumeAvailable(transport);
    try (Loop loop = Loop.open(RunOptions.defaults().withTransport(transport))) {
      RawPeer peer = loop.runUntilComplete(() -> RawPeer.connect(StreamOptions.defaults()));
      Socket socket = peer.socket();
      socket.setSoTimeout((int) OnLoop.PATIENCE.toMillis());
      for (int i = 0; i < 200; i++) { // Not each read gets as much as it can.
        Future<Void> sending =
            loop.runUntilComplete(() -> {
              Future<Void> started = peer.sendInBackground(new byte[READ_BYTES]);
              peer.reader().readExactly(READ_BYTES);
              peer.writer().write("a");
              return started;
            });
        assertThat(socket.getInputStream().read()).isEqualTo('a');
        loop.runUntilComplete(sending);
      }
      loop.runUntilComplete(peer::close);
    }
  }
}
