package dev.weir.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What happens to a subprocess, as {@code asyncio.SubprocessProtocol}. {@link #connectionLost}
 * comes last: when the process has ended and all of its pipes have, too. Its standard input ends
 * with the process, its output and error when nobody holds them open any more. {@link
 * #pauseWriting} and {@link #resumeWriting} are about its standard input.
 */
public interface SubprocessProtocol extends BaseProtocol<SubprocessTransport> {
  /**
   * The process wrote something.
   *
   * @param descriptor 1 for its standard output, 2 for its standard error
   * @param data the protocol's own from now on
   * @throws Exception if it fails: goes to the exception handler, and closes that pipe, of whose
   *     loss it is the cause
   */
  default void pipeDataReceived(int descriptor, byte[] data) throws Exception {}

  /**
   * A pipe has ended.
   *
   * @param descriptor 0 for its standard input, 1 for its output, 2 for its error
   * @param cause null if it ended in order, or was closed or aborted on this side
   * @throws Exception if it fails: goes to the exception handler
   */
  default void pipeConnectionLost(int descriptor, @Nullable Throwable cause) throws Exception {}

  /**
   * The process has ended; {@link SubprocessTransport#returnCode} is there. What it wrote may still
   * arrive.
   *
   * @throws Exception if it fails: goes to the exception handler
   */
  default void processExited() throws Exception {}
}
