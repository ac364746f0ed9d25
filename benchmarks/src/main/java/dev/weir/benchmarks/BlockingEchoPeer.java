package dev.weir.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Blocking sockets of the JDK, a virtual thread of the default scheduler for each: the way without
 * a toolkit.
 */
final class BlockingEchoPeer implements EchoPeer {
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();

  private BlockingEchoPeer(ServerSocket listener) {
    this.listener = listener;
  }

  static BlockingEchoPeer start() throws IOException {
    BlockingEchoPeer peer =
        new BlockingEchoPeer(new ServerSocket(0, BACKLOG, InetAddress.ofLiteral("127.0.0.1")));
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
    byte[] buffer = new byte[READ_BYTES_MAX];
    try (socket;
        InputStream in = socket.getInputStream();
        OutputStream out = socket.getOutputStream()) {
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        out.write(buffer, 0, length);
      }
    } catch (IOException e) {
      // The client went away without closing.
    } finally {
      sockets.remove(socket);
    }
  }

  @Override
  public int port() {
    return listener.getLocalPort();
  }

  @Override
  public String description() {
    return "blocking sockets on the JDK's virtual threads";
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
