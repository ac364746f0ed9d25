package dev.weir.demo.echo;

import dev.weir.task.ExceptionGroup;
import dev.weir.task.SignalException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Says on one line of standard error what was wrong, and gives the exit status for it. A bug keeps
 * its stack trace.
 */
final class OneLineErrors implements IParameterExceptionHandler, IExecutionExceptionHandler {
  @Override
  public int handleParseException(ParameterException exception, String[] args) {
    CommandLine command = exception.getCommandLine();
    String help = command.getCommandSpec().qualifiedName() + " --help";
    say(command, exception.getMessage() + " (see: " + help + ")");
    return CommandLine.ExitCode.USAGE;
  }

  @Override
  public int handleExecutionException(Exception exception, CommandLine command, ParseResult parsed)
      throws Exception {
    if (exception instanceof SignalException signal) {
      return signal.exitStatus();
    }
    if (exception instanceof ExceptionGroup group
        && group.exceptions().stream().allMatch(IOException.class::isInstance)) {
      // Of tasks that share a connection: the others only say that it is lost as well.
      return handleExecutionException((IOException) group.exceptions().getFirst(), command, parsed);
    }
    // The last two: an option or a system property asks for what does not work here.
    if (exception instanceof IOException
        || exception instanceof IllegalStateException
        || exception instanceof IllegalArgumentException) {
      Logging.LOGGER.log(System.Logger.Level.DEBUG, "The command failed", exception);
      say(command, describe(exception));
      return CommandLine.ExitCode.SOFTWARE;
    }
    throw exception;
  }

  private static String describe(Exception exception) {
    if (exception instanceof UnknownHostException) {
      return "Unknown host: " + exception.getMessage();
    }
    if (exception instanceof NoSuchFileException) {
      return "No such file: " + exception.getMessage();
    }
    if (exception instanceof AccessDeniedException) {
      return "Permission denied: " + exception.getMessage();
    }
    return exception.getMessage() != null ? exception.getMessage() : exception.toString();
  }

  private static void say(CommandLine command, String what) {
    command.getErr().println("echo: " + what.replaceAll("\\R", " "));
  }

  private static final class Logging {
    static final System.Logger LOGGER = System.getLogger("dev.weir.demo.echo");
  }
}
