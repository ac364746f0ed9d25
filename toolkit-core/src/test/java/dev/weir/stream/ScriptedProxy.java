package dev.weir.stream;

import dev.weir.Asyncio;
import dev.weir.testing.MemoryNetwork;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * A proxy in the memory network that says what a test wants, whatever it is asked: at {@link #HOST}
 * and {@link #PORT}.
 */
final class ScriptedProxy implements AutoCloseable {
  static final String HOST = "proxy.example";
  static final int PORT = 1080;

  private static final String ADDRESS = "10.0.0.80";

  /** One step of the script: what is awaited, and what is said then. */
  record Exchange(int bytesAwaited, byte[] answer) {}

  private final Server server;
  private final List<Exchange> script;
  private final ByteArrayOutputStream heard = new ByteArrayOutputStream();
  private final boolean ends;

  /** Where the answers are cut: the first part arrives a moment before the rest. */
  private int cut = -1;

  private ScriptedProxy(List<Exchange> script, boolean ends) throws IOException {
    this.script = script;
    this.ends = ends;
    MemoryNetwork.current().addHost(HOST, ADDRESS);
    this.server = Asyncio.startServer(this::serve, ADDRESS, PORT);
  }

  /** Starts one that keeps to the script, and then repeats what it hears. */
  static ScriptedProxy start(Exchange... script) throws IOException {
    return new ScriptedProxy(List.of(script), false);
  }

  /** Starts one that ends the connection after the script. */
  static ScriptedProxy startAndEnd(Exchange... script) throws IOException {
    return new ScriptedProxy(List.of(script), true);
  }

  /** Cuts the answers, taken together, before this byte. */
  ScriptedProxy cutAt(int cut) {
    this.cut = cut;
    return this;
  }

  private void serve(StreamReader reader, StreamWriter writer) throws IOException {
    int said = 0;
    for (Exchange exchange : script) {
      heard.writeBytes(reader.readExactly(exchange.bytesAwaited()));
      byte[] answer = exchange.answer();
      int first = Math.clamp(cut - said, 0, answer.length);
      writer.write(answer, 0, first);
      Rounds.settle();
      writer.write(answer, first, answer.length - first);
      said += answer.length;
    }
    if (!ends) {
      for (byte[] chunk = reader.read(1000); chunk.length > 0; chunk = reader.read(1000)) {
        heard.writeBytes(chunk);
        writer.write(chunk);
      }
    }
  }

  /** {@return what the client said, as characters} */
  String heard() {
    return heard.toString(java.nio.charset.StandardCharsets.ISO_8859_1);
  }

  @Override
  public void close() {
    server.close();
  }

  /** {@return bytes, as numbers and characters} */
  static byte[] bytes(Object... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<Object> all = new ArrayList<>(List.of(parts));
    for (Object part : all) {
      if (part instanceof Integer number) {
        bytes.write(number);
      } else {
        bytes.writeBytes(MemoryPeer.bytes((String) part));
      }
    }
    return bytes.toByteArray();
  }
}
