package dev.weir.testing;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Transports that break what streams promise, each in one way. */
final class Mutants {
  private Mutants() {}

  static class LosesAByteAtASegmentBorder extends Tampering {
    private int segments;

    @Override
    public void dataReceived(ByteBuffer data) {
      segments++;
      if (segments == 2) {
        data.get();
      }
      super.dataReceived(data);
    }
  }

  static class DoublesASegment extends Tampering {
    private int segments;

    @Override
    public void dataReceived(ByteBuffer data) {
      segments++;
      if (segments == 2) {
        super.dataReceived(data.duplicate());
      }
      super.dataReceived(data);
    }
  }

  static class SwapsTwoSegments extends Tampering {
    private int segments;
    private ByteBuffer late = ByteBuffer.allocate(0);

    @Override
    public void dataReceived(ByteBuffer data) {
      segments++;
      if (segments == 2) {
        late = ByteBuffer.allocate(data.remaining()).put(data).flip();
        return;
      }
      super.dataReceived(data);
      if (segments == 3) {
        super.dataReceived(late);
      }
    }
  }

  static class ForgetsPauseWriting extends Tampering {
    @Override
    public void pauseWriting() {}
  }

  static class ForgetsResumeWriting extends Tampering {
    @Override
    public void resumeWriting() {}
  }

  static class IgnoresPauseReading extends Tampering {
    @Override
    public void pauseReading() {}
  }

  static class IgnoresResumeReading extends Tampering {
    @Override
    public void resumeReading() {}
  }

  static class DropsTheEnd extends Tampering {
    @Override
    public void eofReceived() {}
  }

  static class ClosesAtThePeersEnd extends Tampering {
    @Override
    public void eofReceived() {
      super.eofReceived();
      close();
    }
  }

  static class ClosesAtItsOwnEnd extends Tampering {
    @Override
    public void writeEof() {
      close();
    }
  }

  static class IgnoresClose extends Tampering {
    @Override
    public void close() {}
  }

  static class SaysItCannotHalfClose extends Tampering {
    @Override
    public boolean canWriteEof() {
      return false;
    }
  }

  /** Keeps all promises, and ends both directions together, as a connection with TLS does. */
  static class EndsBothDirections extends SaysItCannotHalfClose {
    @Override
    public void eofReceived() {
      super.eofReceived();
      close();
    }
  }

  static class IgnoresCloseWithoutHalfClose extends EndsBothDirections {
    @Override
    public void close() {}
  }

  static class TakesAResetForAnEnd extends Tampering {
    @Override
    public void connectionLost(@Nullable IOException cause) {
      super.connectionLost(null);
    }
  }

  static class EndsInOrderWhenAborted extends Tampering {
    @Override
    public void abort() {
      close();
    }
  }

  static class NeverReportsTheEndOfAClose extends Tampering {
    @Override
    public void connectionLost(@Nullable IOException cause) {
      if (cause != null) {
        super.connectionLost(cause);
      }
    }
  }

  static class NeverReportsALoss extends Tampering {
    @Override
    public void connectionLost(@Nullable IOException cause) {
      if (cause == null) {
        super.connectionLost(cause);
      }
    }
  }

  static class DropsWhatIsUnsentWhenClosed extends Tampering {
    @Override
    public void close() {
      if (writeBufferSize() > 0) {
        abort();
      } else {
        super.close();
      }
    }
  }

  static class CountsNothingAsUnsent extends Tampering {
    @Override
    public long writeBufferSize() {
      return 0;
    }
  }

  static class MixesUpAddresses extends Tampering {
    @Override
    public SocketAddress remoteAddress() {
      return super.localAddress();
    }
  }

  /** Holds what arrived back for one poll. */
  abstract static class Holding extends Tampering {
    private final List<ByteBuffer> held = new ArrayList<>();
    private int heldBefore;

    @Override
    public void dataReceived(ByteBuffer data) {
      ByteBuffer copy = ByteBuffer.allocate(data.remaining());
      held.add(copy.put(data).flip());
    }

    @Override
    public void eofReceived() {
      release(held.size());
      super.eofReceived();
    }

    @Override
    public void connectionLost(@Nullable IOException cause) {
      release(held.size());
      super.connectionLost(cause);
    }

    @Override
    boolean holdsSomething() {
      return !held.isEmpty();
    }

    @Override
    void polled() {
      release(heldBefore);
      heldBefore = held.size();
    }

    final void release(int count) {
      List<ByteBuffer> released = held.subList(0, Math.min(count, held.size()));
      released.forEach(protocol()::dataReceived);
      released.clear();
    }

    final void drop() {
      held.clear();
    }
  }

  static class ReportsTheEndBeforeTheLastBytes extends Holding {
    @Override
    public void eofReceived() {
      protocol().eofReceived();
    }
  }

  static class DropsWhatArrivedWhenReset extends Holding {
    @Override
    public void connectionLost(@Nullable IOException cause) {
      if (cause != null) {
        drop();
      }
      super.connectionLost(cause);
    }
  }

  /** Does at the next poll what is asked of it, and so with an array that is the caller's again. */
  static class KeepsTheCallersArray extends Tampering {
    private final List<Runnable> asked = new ArrayList<>();

    @Override
    public void write(byte[] bytes, int offset, int length) {
      asked.add(() -> super.write(bytes, offset, length));
    }

    @Override
    public void writeEof() {
      asked.add(super::writeEof);
    }

    @Override
    public void close() {
      asked.add(super::close);
    }

    @Override
    boolean holdsSomething() {
      return !asked.isEmpty();
    }

    @Override
    void polled() {
      asked.forEach(Runnable::run);
      asked.clear();
    }
  }
}
