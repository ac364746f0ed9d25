package dev.weir.process;

import java.io.IOException;
import java.nio.charset.StandardCharsets;

/** Sends signals that the JDK cannot send, by the system's program for it. Blocks; any thread. */
final class KillProgram {
  private KillProgram() {}

  /** What came of it. */
  sealed interface Answer {
    /** It was sent. */
    record Sent() implements Answer {}

    /** The process has ended. */
    record Gone() implements Answer {}

    /** There is no such signal, or it may not be sent. */
    record Refused(String reason) implements Answer {}

    /** The program cannot be run. */
    record Failed(IOException failure) implements Answer {}
  }

  static Answer send(ProcessHandle target, String signal) {
    if (!target.isAlive()) {
      return new Answer.Gone(); // Its number may be another's by now.
    }
    try {
      Process kill =
          new ProcessBuilder("kill", "-s", signal, Long.toString(target.pid()))
              .redirectErrorStream(true)
              .start();
      kill.getOutputStream().close();
      String said =
          new String(kill.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      if (kill.waitFor() == 0) {
        return new Answer.Sent();
      }
      return target.isAlive() ? new Answer.Refused(said) : new Answer.Gone();
    } catch (IOException e) {
      return new Answer.Failed(e);
    } catch (InterruptedException e) {
      return new Answer.Failed(new IOException("interrupted", e));
    }
  }
}
