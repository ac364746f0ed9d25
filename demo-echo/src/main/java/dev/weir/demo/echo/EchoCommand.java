package dev.weir.demo.echo;

import dev.weir.Asyncio;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;

/**
 * The command line: {@code demo-echo/echo server}, {@code demo-echo/echo client}, the two simple
 * programs, a chat, and those on Netty's codecs.
 *
 * <p>It exits with 0 when all went well, 1 when something failed while running, 2 when the command
 * line was wrong, and 130 or 143 when SIGINT or SIGTERM ended it.
 */
@Command(
    name = "echo",
    description = "An echo server and its client, on Weir.",
    subcommands = {ServerCommand.class, ClientCommand.class, LookupCommand.class},
    mixinStandardHelpOptions = true,
    versionProvider = EchoCommand.Version.class,
    scope = ScopeType.INHERIT)
public final class EchoCommand {
  private EchoCommand() {}

  /** Runs the command line and exits. */
  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    OneLineErrors errors = new OneLineErrors();
    return new CommandLine(new EchoCommand())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(errors)
        .setExecutionExceptionHandler(errors);
  }

  @Option(
      names = {"-v", "--verbose"},
      description = "Log what happens, down to DEBUG, to standard error.",
      scope = ScopeType.INHERIT)
  void verbose(boolean verbose) {
    if (verbose) {
      System.setProperty(
          "echo.log", "DEBUG"); // Read by logback.xml, when the first logger is made.
    }
  }

  @Command(
      name = "simple-server",
      description =
          "Prints what it receives, up to 100 bytes, sends it back and closes. Listens on"
              + " 127.0.0.1.")
  void simpleServer(
      @Parameters(
              paramLabel = "PORT",
              defaultValue = "8888",
              converter = PortConverter.class,
              description = "Default: ${DEFAULT-VALUE}; 0 for any free one.")
          int port) {
    SimpleServer.main(String.valueOf(port));
  }

  @Command(
      name = "simple-client",
      description = "Asks for a message and sends it to the simple server.")
  void simpleClient(
      @Parameters(
              paramLabel = "PORT",
              defaultValue = "8888",
              converter = PortConverter.class,
              description = "Default: ${DEFAULT-VALUE}.")
          int port) {
    SimpleClient.main(String.valueOf(port));
  }

  // --- A chat

  @Command(
      name = "chat-server",
      description = {
        "A room where each hears all others. Asks for a name first.",
        "Ctrl-C, or SIGTERM, stops it."
      })
  void chatServer(@Mixin TcpEndpoint endpoint) {
    ChatServer chat = new ChatServer();
    endpoint.serve(chat::start, chat::serveForever);
  }

  @Command(
      name = "chat-client",
      description = {
        "Sends each line that is typed to a chat server, and shows what others say meanwhile.",
        "Ctrl-D or /quit leaves; Ctrl-R shows again what is typed, if a message took its place."
      })
  void chatClient(
      @Mixin LoopOptions loop,
      @Parameters(
              index = "0",
              arity = "0..1",
              paramLabel = "HOST",
              defaultValue = "127.0.0.1",
              converter = HostConverter.class,
              description = "The server's name or address, ${DEFAULT-VALUE} by default.")
          String host,
      @Parameters(
              index = "1",
              arity = "0..1",
              paramLabel = "PORT",
              defaultValue = "8888",
              converter = PortConverter.class,
              description = "The server's port, ${DEFAULT-VALUE} by default.")
          int port,
      @Option(
              names = "--name",
              paramLabel = "NAME",
              defaultValue = "${sys:user.name}",
              description = "What the others call you, ${DEFAULT-VALUE} by default.")
          String name) {
    Asyncio.run(() -> ChatClient.run(host, port, name), loop.runOptions().withHandleSignals(true));
  }

  // --- Beyond echoes of bytes: what docs/netty.md shows

  @Command(
      name = "http",
      description = "Serves HTTP/1.1: GET / answers a line of text, POST /echo the body.")
  void http(@Mixin TcpEndpoint endpoint) {
    endpoint.serve(HttpServer::start);
  }

  @Command(name = "websocket", description = "Sends every message of a WebSocket back.")
  void webSocket(@Mixin TcpEndpoint endpoint) {
    endpoint.serve(WebSocketServer::start);
  }

  @Command(
      name = "redis-server",
      description = "Keeps strings in memory, for clients of Redis: PING, SET, GET, INCR.")
  void redisServer(@Mixin TcpEndpoint endpoint) {
    endpoint.serve(new RedisServer()::start);
  }

  @Command(
      name = "redis-client",
      description = "Sends a command to a Redis server and prints the reply.")
  void redisClient(
      @Mixin TcpEndpoint endpoint,
      @Parameters(paramLabel = "WORD", arity = "1..*", description = "The words of the command.")
          String[] words) {
    Asyncio.run(
        () -> {
          try (RedisClient client = RedisClient.connect(endpoint.host(), endpoint.port())) {
            IO.println(client.call(words));
          }
        },
        endpoint.runOptions());
  }

  /** What the manifest of the jar says. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = EchoCommand.class.getPackage().getImplementationVersion();
      return new String[] {"echo (Weir) " + (version != null ? version : "not built as a jar")};
    }
  }
}
