package dev.weir.task;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What Weir logs while this is open. The console gets nothing of it. */
final class CapturedLog implements AutoCloseable {
  /** Held here, because java.util.logging forgets a logger that nobody holds. */
  private static final Logger LOGGER = Logger.getLogger("dev.weir");

  private final List<LogRecord> records = new CopyOnWriteArrayList<>();
  private final Handler recorder = new Recorder();

  private CapturedLog() {}

  static CapturedLog open() {
    CapturedLog log = new CapturedLog();
    LOGGER.setUseParentHandlers(false);
    LOGGER.addHandler(log.recorder);
    return log;
  }

  /** Adds a handler of the test's own, until this is closed. */
  void tee(Handler handler) {
    LOGGER.addHandler(handler);
  }

  /** {@return what was logged, the messages that contain {@code text} only} */
  List<LogRecord> containing(String text) {
    return records.stream().filter(entry -> entry.getMessage().contains(text)).toList();
  }

  /** {@return everything that was logged} */
  List<LogRecord> records() {
    return records;
  }

  /** Returns when a message with {@code text} has been logged; the caller keeps its turn. */
  void spinUntil(String text) {
    while (containing(text).isEmpty()) {
      Thread.onSpinWait();
    }
  }

  @Override
  public void close() {
    for (Handler handler : LOGGER.getHandlers()) {
      LOGGER.removeHandler(handler);
    }
    LOGGER.setUseParentHandlers(true);
  }

  private final class Recorder extends Handler {
    @Override
    public void publish(LogRecord entry) {
      records.add(entry);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }
}
