package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CommandLineTest {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  private record Outcome(int status, String output, String errors) {
    void assertOneLine(int status, String text) {
      assertThat(errors).startsWith("echo: ").contains(text).endsWith("\n").containsOnlyOnce("\n");
      assertThat(output).isEmpty();
      assertThat(this.status).isEqualTo(status);
    }
  }

  private static Outcome execute(String... arguments) {
    StringWriter output = new StringWriter();
    StringWriter errors = new StringWriter();
    CommandLine command = EchoCommand.commandLine();
    command.setOut(new PrintWriter(output)).setErr(new PrintWriter(errors));
    int status = command.execute(arguments);
    return new Outcome(status, output.toString(), errors.toString().replace("\r\n", "\n"));
  }

  @ParameterizedTest
  @CsvSource({
    "server, --port,      abc,       'abc' is not a number from 0 to 65535",
    "server, --port,      65536,     '65536' is not a number from 0 to 65535",
    "client, --port,      -1,        '-1' is not a number from 0 to 65535",
    "server, --host,      999.1.1.1, '999.1.1.1' is not an IPv4 or IPv6 address",
    "client, --host,      [::g],     '[::g]' is not an IPv4 or IPv6 address",
    "client, --host,      ::g,       '::g' is not an IPv4 or IPv6 address",
    "client, --host,      [name],    '[name]' is not an IPv4 or IPv6 address",
    "server, --host,      ' ',       it is empty",
    "lookup, --server,    localhost:x, 'x' is not a number from 0 to 65535",
    "lookup, --server,    ::1,       ':' is not an IPv4 or IPv6 address",
    "chat-server, --host, 999.1.1.1, '999.1.1.1' is not an IPv4 or IPv6 address",
    "chat-client, --fibers, glass,   but was 'glass'",
    "server, --transport, carrier,   but was 'carrier'",
    "server, --fibers,    glass,     but was 'glass'",
    "server, --unix,      ' ',       it is empty",
    "client, --unix,      a\0b,     is not a path",
    "server, --grace,     -1,        '-1' is not a whole number of seconds",
    "server, --grace,     soon,      'soon' is not a whole number of seconds",
    "server, --max-connections, many, 'many' is not a whole number above 0",
    "server, --max-connections, 0, '0' is not a whole number above 0",
    "server, --proxy-protocol, here, 'here' is no address",
    "server, --proxy-protocol, '::1,10.0.0.0/99', '99' is not from 0 to 32",
  })
  void aValueThatCannotBeReadIsNamedOnOneLine(
      String command, String option, String value, String complaint) {
    Outcome outcome = execute(command, option, value);

    outcome.assertOneLine(USAGE, complaint);
    assertThat(outcome.errors()).contains(option);
  }

  @ParameterizedTest
  @CsvSource({
    "server,        --prot,   Unknown option: '--prot'",
    "server,        --port,   Missing required parameter",
    "serve,         me,       Unmatched argument",
    "simple-server, nowhere,  'nowhere' is not a number from 0 to 65535",
    "simple-client, 70000,    '70000' is not a number from 0 to 65535",
    "chat-client,   999.1.1.1, '999.1.1.1' is not an IPv4 or IPv6 address",
    "chat-client,   --name,   Missing required parameter",
  })
  void aWrongCommandLineIsExplainedOnOneLine(String first, String second, String complaint) {
    Outcome outcome = execute(first, second);

    outcome.assertOneLine(USAGE, complaint);
  }

  @Test
  void aMissingCommandIsAskedFor() {
    Outcome outcome = execute();

    outcome.assertOneLine(USAGE, "Missing required subcommand");
  }

  @ParameterizedTest
  @CsvSource({"server, --host, ::1", "client, --port, 8888"})
  void aUnixSocketIsNotServedBesideAPort(String command, String option, String value) {
    Outcome outcome = execute(command, "--unix", "/tmp/echo.sock", option, value);

    outcome.assertOneLine(USAGE, "--unix takes the place of " + option + ": write one of them");
  }

  @ParameterizedTest
  @CsvSource({
    "server --tls-cert c.pem,                         write --tls-key FILE",
    "server --tls-key k.pem,                          write --tls-cert FILE",
    "server --tls-self-signed --tls-cert c.pem,       'write it, or --tls-cert and --tls-key'",
    "server --tls-self-signed --tls-key k.pem,        'write it, or --tls-cert and --tls-key'",
    "client --ca ca.pem,                              '--ca is for TLS only: write --tls, too'",
    "client --insecure,                               '--insecure is for TLS only: write --tls'",
    "client --tls --insecure --ca ca.pem,             write one of them",
  })
  void optionsOfTlsThatDoNotGoTogetherAreRefusedWithWhatToWrite(String commandLine, String advice) {
    Outcome outcome = execute(commandLine.split(" "));

    outcome.assertOneLine(USAGE, advice);
  }

  @Test
  void aFileOfCertificatesThatIsNotThereIsNamed(@TempDir Path directory) {
    String missing = directory.resolve("missing.pem").toString();

    execute("client", "--tls", "--ca", missing).assertOneLine(FAILED, "No such file: " + missing);
    execute("server", "--tls-cert", missing, "--tls-key", missing)
        .assertOneLine(FAILED, "No such file: " + missing);
  }

  @Test
  void aFileThatHasNoCertificateIsNamed(@TempDir Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("notes.txt"), "to do");

    Outcome outcome = execute("client", "--tls", "--ca", file.toString());

    outcome.assertOneLine(FAILED, "There is no certificate in " + file);
  }

  @Test
  void aPathWhereSomethingElseIsIsNamed(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));

    Outcome outcome = execute("server", "--unix", file.toString());

    outcome.assertOneLine(FAILED, "Address already in use: " + file + ": there is a file");
  }

  @Test
  void aPathWhereNoSocketIsIsNamed(@TempDir Path directory) {
    Path path = directory.resolve("echo.sock");

    Outcome outcome = execute("client", "--unix", path.toString());

    outcome.assertOneLine(FAILED, "No such socket: " + path);
  }

  @Test
  void aLineBreakInAValueDoesNotBreakTheLine() {
    Outcome outcome = execute("server", "--port", "1\n2");

    outcome.assertOneLine(USAGE, "'1 2' is not a number");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "server",
        "client",
        "simple-server",
        "simple-client",
        "chat-server",
        "chat-client"
      })
  void everyCommandHasHelp(String command) {
    Outcome outcome = execute(command, "--help");

    assertThat(outcome.output()).startsWith("Usage: echo " + command);
    assertThat(outcome.errors()).isEmpty();
    assertThat(outcome.status()).isZero();
  }

  @Test
  void aPortInUseIsNamed() throws IOException {
    try (ServerSocket other = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      int port = other.getLocalPort();

      Outcome outcome = execute("server", "--port", String.valueOf(port));

      outcome.assertOneLine(FAILED, "Address already in use: 127.0.0.1:" + port);
    }
  }

  @Test
  void anAddressOfAnotherMachineIsNamed() {
    Outcome outcome = execute("server", "--host", "192.0.2.1", "--port", "0");

    outcome.assertOneLine(FAILED, "Not an address of this machine: 192.0.2.1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"server", "client"})
  void anUnknownHostIsNamed(String command) {
    Outcome outcome = execute(command, "--host", "two..dots"); // No name server need be asked.

    outcome.assertOneLine(FAILED, "Unknown host: two..dots");
  }

  @ParameterizedTest
  @ValueSource(strings = {"auto", "NIO"})
  void aRefusedConnectionIsNamed(String transport) throws IOException {
    try (Socket bound = boundButNotListening()) {
      String port = String.valueOf(bound.getLocalPort());

      Outcome outcome = execute("client", "--port", port, "--transport", transport);

      outcome.assertOneLine(FAILED, "Connection refused: 127.0.0.1:" + port);
    }
  }

  @Test
  void theSimpleClientNamesARefusedConnectionToo() throws IOException {
    try (Socket bound = boundButNotListening()) {
      String port = String.valueOf(bound.getLocalPort());

      Outcome outcome = execute("simple-client", port);

      outcome.assertOneLine(FAILED, "Connection refused: 127.0.0.1:" + port);
    }
  }

  @Test
  void theChatClientNamesARefusedConnectionToo() throws IOException {
    try (Socket bound = boundButNotListening()) {
      String port = String.valueOf(bound.getLocalPort());

      Outcome outcome = execute("chat-client", "127.0.0.1", port);

      outcome.assertOneLine(FAILED, "Connection refused: 127.0.0.1:" + port);
    }
  }

  private static Socket boundButNotListening() throws IOException {
    Socket socket = new Socket();
    socket.bind(new InetSocketAddress("127.0.0.1", 0));
    return socket;
  }
}
