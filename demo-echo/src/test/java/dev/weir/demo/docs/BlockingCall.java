package dev.weir.demo.docs;

import java.io.IOException;
import java.util.stream.Stream;

/** A call that blocks until somebody ends it. */
abstract class BlockingCall implements AutoCloseable {
  private final String method;

  /** What a test has seen. */
  volatile boolean stalled;

  /**
   * Makes a call.
   *
   * @param method the method on the stack by which one sees that it has begun
   */
  BlockingCall(String method) {
    this.method = method;
  }

  /** Makes what the call needs. Called off the loop. */
  void prepare() throws Exception {}

  /** Blocks. Called in a task. */
  abstract void block() throws Exception;

  /** Lets the call return. Any thread. */
  abstract void release() throws Exception;

  /** {@return whether an interrupt has closed what the call uses} */
  boolean isClosed() {
    return false;
  }

  final boolean isIn(StackTraceElement[] stack) {
    return Stream.of(stack).anyMatch(frame -> frame.getMethodName().equals(method));
  }

  @Override
  public void close() throws IOException {}
}
