package dev.weir.benchmarks.lab;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Peers that mean ill, beside honest ones, against a server that has little memory. Each scenario
 * returns what the server held before and after, and what the honest had.
 */
final class HostilePeers {
  private static final int HONEST = 10;

  private HostilePeers() {}

  /**
   * What came of it.
   *
   * @param before with the honest clients only
   * @param after with everybody connected, and as much held as will be
   * @param honest what the honest had meanwhile
   */
  record Outcome(Figures before, Figures after, HonestClients.Answers honest) {
    long directGrowth() {
      return after.direct() - before.direct();
    }

    long heldGrowth() {
      return after.held() - before.held();
    }

    @Override
    public String toString() {
      return """
      before  %s
      after   %s
      growth  heap %,d bytes, direct %,d bytes
      honest  %s\
      """
          .formatted(before, after, after.heap() - before.heap(), directGrowth(), honest);
    }
  }

  /**
   * Peers that have the server send for ever, and never read.
   *
   * @param watched how long to look on once the server sends no more
   */
  static Outcome silent(int peers, Duration watched) throws IOException, InterruptedException {
    try (ServerProcess server = ServerProcess.start(ServerProcess.SMALL);
        HonestClients honest = HonestClients.start(server, HONEST);
        Sockets sockets = new Sockets()) {
      Figures before = server.figures();
      for (int i = 0; i < peers; i++) {
        sockets.connect(server).getOutputStream().write("pour\n".getBytes(US_ASCII));
      }
      long writtenBefore = -1;
      Figures after = server.figures();
      while (after.open() < HONEST + peers || after.written() != writtenBefore) {
        writtenBefore = after.written();
        honest.awaitAnswers(10);
        after = server.figures();
      }
      Figures most = watch(server, honest, after, watched);
      return new Outcome(before, most, honest.answers());
    }
  }

  /** Looks once a second. Returns when the most was held. */
  private static Figures watch(
      ServerProcess server, HonestClients honest, Figures first, Duration duration)
      throws IOException, InterruptedException {
    Figures most = first;
    for (long i = 0; i < duration.toSeconds(); i++) {
      Thread.sleep(1000);
      Figures now = server.figures();
      most = now.held() > most.held() ? now : most;
    }
    honest.awaitAnswers(10);
    return most;
  }

  /** Clients that announce more than they send, less than nothing, or nothing at all. */
  static Outcome liars(int clients) throws IOException, InterruptedException {
    int[] lengths = {Integer.MAX_VALUE, -1, 0, Integer.MIN_VALUE, 1 << 30};
    try (ServerProcess server = ServerProcess.start(ServerProcess.SMALL);
        HonestClients honest = HonestClients.start(server, HONEST);
        Sockets sockets = new Sockets()) {
      Figures before = server.figures();
      int negative = 0;
      for (int i = 0; i < clients; i++) {
        int length = lengths[i % lengths.length];
        negative += length < 0 ? 1 : 0;
        ByteBuffer lie = ByteBuffer.allocate(32);
        lie.put("frames\n".getBytes(US_ASCII)).putInt(length);
        sockets.connect(server).getOutputStream().write(lie.array(), 0, lie.limit());
      }
      // The negative ones are refused, each by a failure of the handler; the others stay.
      Figures after = server.figures();
      while (after.served() < HONEST + clients || after.reports() < negative) {
        honest.awaitAnswers(10);
        after = server.figures();
      }
      after = server.awaitOpenAtMost(HONEST + clients - negative);
      return new Outcome(before, after, honest.answers());
    }
  }

  /**
   * One peer that sends a line without end, and a server that skips what is too long.
   *
   * @param took from the first byte to the answer after the last
   */
  record Endless(Outcome outcome, Duration took) {}

  /** Sends so many bytes before the newline. */
  static Endless endless(long bytes) throws IOException, InterruptedException {
    byte[] chunk = new byte[1 << 20];
    Arrays.fill(chunk, (byte) 'a');
    try (ServerProcess server = ServerProcess.start(ServerProcess.SMALL);
        HonestClients honest = HonestClients.start(server, HONEST);
        Socket socket = server.connect()) {
      sendLine(socket, chunk, 64L << 20); // Or else the compiler would be part of the time.
      Figures before = server.figures();
      long start = System.nanoTime();
      String answer = sendLine(socket, chunk, bytes);
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      if (!answer.equals(String.valueOf(bytes + 1))) {
        throw new IOException("of " + (bytes + 1) + " bytes the server saw " + answer);
      }
      honest.awaitAnswers(10);
      return new Endless(new Outcome(before, server.figures(), honest.answers()), took);
    }
  }

  private static String sendLine(Socket socket, byte[] chunk, long bytes) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write("endless\n".getBytes(US_ASCII));
    for (long left = bytes; left > 0; left -= chunk.length) {
      out.write(chunk, 0, (int) Math.min(left, chunk.length));
    }
    out.write('\n');
    BufferedReader in =
        new BufferedReader(new InputStreamReader(socket.getInputStream(), US_ASCII));
    return String.valueOf(in.readLine());
  }

  /** Connections that stay open until the scenario is over. */
  private static final class Sockets implements AutoCloseable {
    private final List<Socket> open = new ArrayList<>();

    Socket connect(ServerProcess server) throws IOException {
      Socket socket = server.connect();
      open.add(socket);
      return socket;
    }

    @Override
    public void close() throws IOException {
      for (Socket socket : open) {
        socket.close();
      }
    }
  }
}
