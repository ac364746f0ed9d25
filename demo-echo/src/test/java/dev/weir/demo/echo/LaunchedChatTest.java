package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** The chat as processes: on terminals, with pipes in their place, and with one who is too slow. */
@Tag("slow")
@Timeout(value = 120, threadMode = ThreadMode.SEPARATE_THREAD)
class LaunchedChatTest {
  private final List<LaunchedProgram> programs = new ArrayList<>();
  private final List<Socket> sockets = new ArrayList<>();

  @AfterEach
  void end() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    programs.forEach(LaunchedProgram::close);
  }

  private LaunchedProgram start(String... arguments) throws IOException {
    LaunchedProgram program = LaunchedProgram.start(arguments);
    programs.add(program);
    return program;
  }

  private LaunchedProgram startClient(int port, String name) throws IOException {
    return start("chat-client", "127.0.0.1", String.valueOf(port), "--name", name);
  }

  /** Somebody without our client, as with netcat. */
  private Socket comeIn(int port, String name, int receiveBufferBytes) throws IOException {
    Socket socket = new Socket();
    sockets.add(socket);
    socket.setReceiveBufferSize(receiveBufferBytes);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    say(socket, name);
    return socket;
  }

  private static void say(Socket socket, String line) throws IOException {
    socket.getOutputStream().write((line + "\n").getBytes(UTF_8));
  }

  private static BufferedReader reader(Socket socket) throws IOException {
    return new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
  }

  private static void awaitLine(BufferedReader reader, String wanted) throws IOException {
    String line = reader.readLine();
    while (line != null && !line.equals(wanted)) {
      line = reader.readLine();
    }
    assertThat(line).isEqualTo(wanted);
  }

  @Test
  void onTerminalsMessagesArriveWhileTheUserTypes() throws Exception {
    assertThat(TerminalScript.run("chat_on_terminals.py"))
        .isEqualToNormalizingNewlines(
            """
            Ann: <clear>* Welcome, Ann. Nobody else is here
            Bob: <clear>* Welcome, Bob. Here: Ann
            Ann: <clear>* Bob came in
            Bob: <clear>Ann: Hello, Bob!
            Bob: ^R half a
            Ann: <clear>Bob: half a line
            Ann: <clear>Bob: red: \ufffd[31m, bell: \ufffd
            Bob ended with 0
            Ann: <clear>* Bob left
            Cid: <clear>* Welcome, Cid. Here: Ann
            Ann: <clear>* Cid came in
            Cid ended with 130
            Ann: <clear>* Cid left
            Dee: <clear>* Welcome, Dee. Here: Ann
            Ann ended with 0
            Dee: <clear>* Ann left
            Dee: <clear>* The server is going down
            Dee: echo: The server has gone: it closed the connection
            Dee ended with 1
            server ended with 143
            """);
  }

  @Test
  void pipesTakeThePlaceOfATerminal() throws Exception {
    LaunchedProgram server = start("chat-server", "--port", "0");
    int port = server.nextPort();
    LaunchedProgram ann = startClient(port, "Ann");
    assertThat(ann.nextLine()).isEqualTo("* Welcome, Ann. Nobody else is here");

    LaunchedProgram bob = startClient(port, "Bob");
    bob.input().write("one\ntwo\n/quit\nthree\n".getBytes(UTF_8));
    bob.input().flush();

    assertThat(bob.restOfOutput()).isEqualTo("* Welcome, Bob. Here: Ann\n");
    assertThat(bob.awaitExit()).isZero();
    assertThat(ann.nextLine()).isEqualTo("* Bob came in");
    assertThat(ann.nextLine()).isEqualTo("Bob: one");
    assertThat(ann.nextLine()).isEqualTo("Bob: two");
    assertThat(ann.nextLine()).isEqualTo("* Bob left");
    ann.input().close();
    assertThat(ann.awaitExit()).isZero();
    assertThat(ann.errors()).isEmpty();
    assertThat(bob.errors()).isEmpty();
  }

  @Test
  void aNameThatIsTakenAndAServerThatIsKilledAreOneLineEach() throws Exception {
    LaunchedProgram server = start("chat-server", "--port", "0");
    int port = server.nextPort();
    LaunchedProgram ann = startClient(port, "Ann");
    assertThat(ann.nextLine()).isEqualTo("* Welcome, Ann. Nobody else is here");

    LaunchedProgram other = startClient(port, "ann");
    assertThat(other.awaitExit()).isOne();
    assertThat(other.errors())
        .isEqualTo("echo: The server says: * 'ann' is here already: come back with another name\n");

    server.signal("KILL");
    assertThat(ann.awaitExit()).isOne();
    assertThat(ann.errors()).startsWith("echo: The server has gone: ").containsOnlyOnce("\n");
  }

  @Test
  void anOutputThatTakesNothingIsAFailureHoweverLittleThereWasToShow() throws Exception {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "this system has no /dev/full");
    LaunchedProgram server = start("chat-server", "--port", "0");
    List<String> command = new ArrayList<>(LaunchedProgram.commandLine());
    command.addAll(List.of("chat-client", "127.0.0.1", String.valueOf(server.nextPort())));
    command.addAll(List.of("--name", "Ann"));

    Process client = new ProcessBuilder(command).redirectOutput(full.toFile()).start();
    client.outputWriter().close();

    assertThat(client.errorReader().readAllAsString()).isEqualTo("echo: No space left on device\n");
    assertThat(client.waitFor()).isOne();
  }

  @Test
  void whoReadsNothingIsDroppedWhileTheOthersGoOn() throws Exception {
    LaunchedProgram server = start("chat-server", "--port", "0");
    int port = server.nextPort();
    LaunchedProgram ann = startClient(port, "Ann");
    ann.nextLine();
    Socket slow = comeIn(port, "Slow", 4096);
    assertThat(ann.nextLine()).isEqualTo("* Slow came in");
    Socket bob = comeIn(port, "Bob", 256 * 1024);
    BufferedReader heardByBob = reader(bob);
    assertThat(ann.nextLine()).isEqualTo("* Bob came in");

    String line = "x".repeat(4000);
    Thread talking = Thread.startVirtualThread(() -> talkUntilClosed(bob, line));
    String heard = ann.nextLine();
    while (heard.equals("Bob: " + line)) {
      heard = ann.nextLine();
    }
    assertThat(heard).isEqualTo("* Slow was dropped, who is too slow to listen");
    awaitLine(heardByBob, heard);
    assertThatExceptionOfType(SocketException.class)
        .isThrownBy(() -> slow.getInputStream().readAllBytes());

    assertThat(ann.nextLine()).isEqualTo("Bob: " + line);
    ann.input().write("I am still here\n".getBytes(UTF_8));
    ann.input().flush();
    awaitLine(heardByBob, "Ann: I am still here");
    bob.close();
    talking.join();
  }

  private static void talkUntilClosed(Socket socket, String line) {
    try {
      while (true) {
        say(socket, line);
      }
    } catch (IOException e) {
      // Closed by the test.
    }
  }
}
