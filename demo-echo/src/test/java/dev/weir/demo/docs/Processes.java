package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.pipe.ReadPipe;
import dev.weir.process.ProcessOutput;
import dev.weir.process.Redirection;
import dev.weir.process.Subprocess;
import dev.weir.process.SubprocessOptions;
import dev.weir.stream.Connection;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Loop;
import dev.weir.task.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The programs of docs/processes.md, which shows the methods as they stand here. */
final class Processes {
  private Processes() {}

  static String branch(Path repository) throws IOException {
    SubprocessOptions options = SubprocessOptions.piped().withWorkingDirectory(repository);
    try (Subprocess git =
        Asyncio.createSubprocessExec(List.of("git", "branch", "--show-current"), options)) {
      ProcessOutput said = git.communicate();
      if (git.awaitExit() != 0) {
        throw new IOException("git failed: " + new String(said.stderr(), UTF_8));
      }
      return new String(said.stdout(), UTF_8).strip();
    }
  }

  /** Has a program answer questions of one line. */
  static List<String> ask(List<String> program, List<String> questions) throws IOException {
    SubprocessOptions options =
        SubprocessOptions.defaults().withStdin(Redirection.PIPE).withStdout(Redirection.PIPE);
    List<String> answers = new ArrayList<>();
    try (Subprocess process = Asyncio.createSubprocessExec(program, options)) {
      for (String question : questions) {
        process.stdin().writeLine(question);
        answers.add(process.stdout().readLine(UTF_8));
      }
      process.stdin().writeEof();
      process.awaitExit();
    }
    return answers;
  }

  /** Runs a program that is interrupted when this one is, and says how it ended. */
  static int runToTheEnd(List<String> program) throws IOException {
    Loop loop = Asyncio.runningLoop();
    try (Subprocess child = Asyncio.createSubprocessExec(program, SubprocessOptions.defaults())) {
      loop.addSignalHandler("INT", () -> Asyncio.createTask(() -> child.sendSignal("INT")));
      return child.awaitExit();
    } finally {
      loop.removeSignalHandler("INT");
    }
  }

  /** Says what the user types to a server, and shows what comes from there meanwhile. */
  static void talk(String host, int port) throws IOException {
    try (Connection connection = Asyncio.openConnection(host, port);
        ReadPipe input = Asyncio.standardInput();
        StreamWriter output = Asyncio.standardOutput()) {
      Task<Long> showing = Asyncio.createTask(() -> connection.reader().transferTo(output));
      input.reader().transferTo(connection.writer());
      connection.writer().writeEof();
      showing.await();
    }
  }
}
