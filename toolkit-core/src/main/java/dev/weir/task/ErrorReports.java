package dev.weir.task;

import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/** Where the errors of a loop go that reach nobody else. On the loop only, but for the log. */
final class ErrorReports {
  private final Loop loop;

  /** What the user set, if anything. */
  @Nullable ExceptionHandler handler;

  ErrorReports(Loop loop) {
    this.loop = loop;
  }

  void report(ExceptionContext context) {
    Context where = null;
    if (context.future() instanceof Task<?> task) {
      where = task.context();
    } else if (context.handle() != null) {
      where = context.handle().context();
    }
    report(context, where);
  }

  /** Hands the error to the user's handler, or logs it; in {@code where} if that is known. */
  void report(ExceptionContext context, @Nullable Context where) {
    if (where == null) {
      handOver(context);
    } else {
      where.runNested(() -> handOver(context));
    }
  }

  private void handOver(ExceptionContext context) {
    ExceptionHandler user = handler;
    if (user == null) {
      log(context);
      return;
    }
    try {
      user.handle(loop, context);
    } catch (SignalException e) {
      throw e;
    } catch (Throwable e) {
      if (context.exception() != null && context.exception() != e) {
        e.addSuppressed(context.exception());
      }
      log(
          ExceptionContext.of(
              "Exception in exception handler, while handling: " + context.message(), e));
    }
  }

  static void log(ExceptionContext context) {
    Throwable shown = context.exception();
    if (shown == null) {
      shown = context.createdAt();
    } else if (context.createdAt() != null) {
      shown.addSuppressed(context.createdAt());
    }
    Logging.LOGGER.log(Level.ERROR, context.message(), shown);
  }

  /** Logs a warning with a stack. Any thread but the carrier. */
  static void warn(String message, Throwable stack) {
    Logging.LOGGER.log(Level.WARNING, message, stack);
  }

  /** Logs a notice. Any thread but the carrier. */
  static void inform(String message) {
    Logging.LOGGER.log(Level.INFO, message);
  }

  @Override
  public String toString() {
    return "ErrorReports[" + (handler == null ? "logged" : handler) + "]";
  }

  /** Made with the first message, so that a program that logs nothing never sets logging up. */
  private static final class Logging {
    static final System.Logger LOGGER = System.getLogger("dev.weir");
  }
}
