package dev.weir.protocol;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.task.Future;
import dev.weir.task.Loop;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A protocol that writes down what it is told. */
class Recorder implements Protocol {
  final List<String> events = new ArrayList<>();
  final StringBuilder received = new StringBuilder();
  private final Future<@Nullable Throwable> lost = Loop.running().createFuture();
  private @Nullable Transport transport;
  private boolean staysOpen;

  /** Has the connection stay open for writing when the peer has ended its stream. */
  Recorder staysOpen() {
    staysOpen = true;
    return this;
  }

  Transport transport() {
    if (transport == null) {
      throw new AssertionError("no connectionMade() yet");
    }
    return transport;
  }

  /** Suspends until the connection is lost, and returns the cause. */
  @Nullable Throwable awaitLoss() {
    return lost.await();
  }

  @Override
  public void connectionMade(Transport transport) throws Exception {
    this.transport = transport;
    events.add("made");
  }

  @Override
  public void dataReceived(byte[] data) throws Exception {
    received.append(new String(data, UTF_8));
    events.add("data");
  }

  @Override
  public boolean eofReceived() throws Exception {
    events.add("eof");
    return staysOpen;
  }

  @Override
  public void connectionLost(@Nullable Throwable cause) throws Exception {
    events.add("lost");
    lost.setResult(cause);
  }

  @Override
  public void pauseWriting() throws Exception {
    events.add("pause");
  }

  @Override
  public void resumeWriting() throws Exception {
    events.add("resume");
  }
}
