package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Blocking sockets of the JDK, a virtual thread of the default scheduler for each: the way without
 * a toolkit. In spirit the echo server of the Java Tutorials ("Writing the Server Side of a
 * Socket"), with the threads of JEP 444. Lines are flushed when no more input is there, so that
 * those that came together leave together.
 */
final class BlockingEchoPeer implements EchoPeer {
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  private final Mode mode;

  private BlockingEchoPeer(ServerSocket listener, Mode mode) {
    this.listener = listener;
    this.mode = mode;
  }

  static BlockingEchoPeer start(Mode mode) throws IOException {
    ServerSocket listener = new ServerSocket(0, BACKLOG, InetAddress.ofLiteral("127.0.0.1"));
    BlockingEchoPeer peer = new BlockingEchoPeer(listener, mode);
    Thread.ofVirtual().name("blocking-echo").start(peer::accept);
    return peer;
  }

  private void accept() {
    try {
      while (true) {
        Socket socket = listener.accept();
        socket.setTcpNoDelay(true);
        sockets.add(socket);
        Thread.ofVirtual().start(() -> echo(socket));
      }
    } catch (IOException e) {
      closeSockets(); // By close(), or else the next client is refused and says so.
    }
  }

  private void echo(Socket socket) {
    try (socket;
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream()) {
      switch (mode) {
        case BYTES -> echoBytes(in, out);
        case LINES -> echoLines(in, out);
      }
    } catch (IOException e) {
      // The client went away without closing.
    } finally {
      sockets.remove(socket);
    }
  }

  private static void echoBytes(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[READ_BYTES_MAX];
    for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
      out.write(buffer, 0, length);
    }
  }

  /** The JDK reads lines of text only; in this charset any byte is a character. */
  private static void echoLines(InputStream in, OutputStream out) throws IOException {
    BufferedReader reader = new BufferedReader(new InputStreamReader(in, ISO_8859_1));
    BufferedWriter writer = new BufferedWriter(new OutputStreamWriter(out, ISO_8859_1));
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      writer.write(line);
      writer.write('\n');
      if (!reader.ready()) {
        writer.flush();
      }
    }
  }

  @Override
  public int port() {
    return listener.getLocalPort();
  }

  @Override
  public String description() {
    return "JDK sockets, a virtual thread per connection";
  }

  @Override
  public void close() {
    try {
      listener.close(); // Ends accept(), which closes the sockets.
    } catch (IOException e) {
      throw new IllegalStateException("The listener cannot be closed", e);
    }
  }

  private void closeSockets() {
    for (Socket socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        // It is gone already.
      }
    }
  }
}
