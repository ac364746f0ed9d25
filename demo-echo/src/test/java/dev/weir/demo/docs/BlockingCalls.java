package dev.weir.demo.docs;

import com.sun.net.httpserver.HttpServer;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/** The calls of the table in docs/blocking.md. */
final class BlockingCalls {
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();
  private static final AtomicInteger PIPES = new AtomicInteger();

  private BlockingCalls() {}

  /** Something that is done once, and may throw. */
  private interface Part {
    void run() throws Exception;
  }

  /** A way to wait for something. */
  private interface Waiting<T> {
    void on(T awaited) throws Exception;
  }

  /** A call of two parts that need no preparation. */
  private static BlockingCall call(String method, Part block, Part release) {
    return new BlockingCall(method) {
      @Override
      void block() throws Exception {
        block.run();
      }

      @Override
      void release() throws Exception {
        release.run();
      }
    };
  }

  /** {@return what makes each call, by the name that the table gives it} */
  static Map<String, Supplier<BlockingCall>> all(Path folder) {
    Map<String, Supplier<BlockingCall>> calls = new LinkedHashMap<>();
    calls.put("Thread.sleep", BlockingCalls::sleep);
    calls.put("Thread.join", BlockingCalls::join);
    calls.put("Object.wait", BlockingCalls::objectWait);
    calls.put("synchronized, contended", BlockingCalls::monitor);
    calls.put("ReentrantLock.lock, contended", () -> held("lock", ReentrantLock::lock));
    calls.put(
        "ReentrantLock.lockInterruptibly",
        () -> held("lockInterruptibly", ReentrantLock::lockInterruptibly));
    calls.put("Semaphore.acquire", BlockingCalls::semaphoreAcquire);
    calls.put("CountDownLatch.await", BlockingCalls::latchAwait);
    calls.put("BlockingQueue.take", BlockingCalls::queueTake);
    calls.put("CompletableFuture.get", () -> awaited("get", CompletableFuture::get));
    calls.put("CompletableFuture.join", () -> awaited("join", CompletableFuture::join));
    calls.put("Process.waitFor", BlockingCalls::processWaitFor);
    calls.put("Socket reading", BlockingCalls::socketRead);
    calls.put("ServerSocket.accept", BlockingCalls::serverSocketAccept);
    calls.put("SocketChannel.read", BlockingCalls::socketChannelRead);
    calls.put("ServerSocketChannel.accept", BlockingCalls::serverSocketChannelAccept);
    calls.put("DatagramSocket.receive", BlockingCalls::datagramReceive);
    calls.put("Selector.select", BlockingCalls::select);
    calls.put("HttpClient.send", BlockingCalls::httpSend);
    calls.put(
        "FileInputStream.read", () -> pipe(folder, "readByStream", BlockingCalls::readByStream));
    calls.put(
        "FileChannel.read", () -> pipe(folder, "readByChannel", BlockingCalls::readByChannel));
    calls.put("Files.readString", () -> pipe(folder, "readString", Files::readString));
    calls.put("reading a process's output", BlockingCalls::processOutput);
    calls.put("parking in a class initialiser", BlockingCalls::classInitialiser);
    calls.put("computing", BlockingCalls::computing);
    return calls;
  }

  private static BlockingCall semaphoreAcquire() {
    Semaphore semaphore = new Semaphore(0);
    return call("acquire", semaphore::acquire, semaphore::release);
  }

  private static BlockingCall latchAwait() {
    CountDownLatch latch = new CountDownLatch(1);
    return call("await", latch::await, latch::countDown);
  }

  private static BlockingCall queueTake() {
    BlockingQueue<String> queue = new LinkedBlockingQueue<>();
    return call("take", queue::take, () -> queue.add("item"));
  }

  private static BlockingCall awaited(String method, Waiting<CompletableFuture<String>> waiting) {
    CompletableFuture<String> future = new CompletableFuture<>();
    return call(method, () -> waiting.on(future), () -> future.complete("x"));
  }

  private static BlockingCall sleep() {
    return new BlockingCall("sleep") {
      private volatile Thread sleeper;
      private volatile boolean released;

      @Override
      void block() throws InterruptedException {
        sleeper = Thread.currentThread();
        try {
          Thread.sleep(Duration.ofHours(1));
        } catch (InterruptedException e) {
          if (!released) {
            throw e;
          }
        }
      }

      @Override
      void release() {
        released = true;
        sleeper.interrupt();
      }
    };
  }

  private static BlockingCall join() {
    CountDownLatch ending = new CountDownLatch(1);
    return new BlockingCall("join") {
      private Thread joined;

      @Override
      void prepare() {
        joined = Thread.ofPlatform().daemon().start(() -> awaitUninterruptibly(ending));
      }

      @Override
      void block() throws InterruptedException {
        joined.join();
      }

      @Override
      void release() {
        ending.countDown();
      }
    };
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    while (true) {
      try {
        latch.await();
        return;
      } catch (InterruptedException e) {
        // Nobody interrupts these threads.
      }
    }
  }

  private static BlockingCall objectWait() {
    Object monitor = new Object();
    boolean[] told = {false};
    return call(
        "wait",
        () -> {
          synchronized (monitor) {
            while (!told[0]) {
              monitor.wait();
            }
          }
        },
        () -> {
          synchronized (monitor) {
            told[0] = true;
            monitor.notifyAll();
          }
        });
  }

  /** A call that waits for what another thread holds. */
  private abstract static class HeldElsewhere extends BlockingCall {
    private final CountDownLatch letGo = new CountDownLatch(1);

    HeldElsewhere(String method) {
      super(method);
    }

    /** Takes it, awaits the latch, and lets it go. */
    abstract void hold(CountDownLatch taken, CountDownLatch letGo);

    @Override
    void prepare() {
      CountDownLatch taken = new CountDownLatch(1);
      Thread.ofPlatform().daemon().start(() -> hold(taken, letGo));
      awaitUninterruptibly(taken);
    }

    @Override
    void release() {
      letGo.countDown();
    }
  }

  private static BlockingCall monitor() {
    Object monitor = new Object();
    return new HeldElsewhere("enter") {
      @Override
      void hold(CountDownLatch taken, CountDownLatch letGo) {
        synchronized (monitor) {
          taken.countDown();
          awaitUninterruptibly(letGo);
        }
      }

      @Override
      void block() {
        enter();
      }

      private void enter() {
        synchronized (monitor) {
          return;
        }
      }
    };
  }

  private static BlockingCall held(String method, Waiting<ReentrantLock> acquiring) {
    ReentrantLock lock = new ReentrantLock();
    return new HeldElsewhere(method) {
      @Override
      void hold(CountDownLatch taken, CountDownLatch letGo) {
        lock.lock();
        taken.countDown();
        awaitUninterruptibly(letGo);
        lock.unlock();
      }

      @Override
      void block() throws Exception {
        acquiring.on(lock);
        lock.unlock();
      }
    };
  }

  /** A call that has to do with a process that repeats what it is told. */
  private abstract static class OfProcess extends BlockingCall {
    Process process;

    OfProcess(String method) {
      super(method);
    }

    @Override
    void prepare() throws IOException {
      process = new ProcessBuilder("cat").start();
    }

    @Override
    public void close() {
      process.destroy();
    }
  }

  private static BlockingCall processWaitFor() {
    return new OfProcess("waitFor") {
      @Override
      void block() throws InterruptedException {
        process.waitFor();
      }

      @Override
      void release() throws IOException {
        process.getOutputStream().close();
      }
    };
  }

  private static BlockingCall processOutput() {
    return new OfProcess("read") {
      @Override
      void block() throws IOException {
        process.getInputStream().read();
      }

      @Override
      void release() throws IOException {
        process.getOutputStream().write('x');
        process.getOutputStream().flush();
      }
    };
  }

  private static BlockingCall socketRead() {
    return new BlockingCall("read") {
      private Socket socket;
      private Socket peer;

      @Override
      void prepare() throws IOException {
        try (ServerSocket listener = new ServerSocket(0, 1, LOOPBACK)) {
          socket = new Socket(LOOPBACK, listener.getLocalPort());
          peer = listener.accept();
        }
      }

      @Override
      void block() throws IOException {
        socket.getInputStream().read();
      }

      @Override
      void release() throws IOException {
        peer.getOutputStream().write('x');
      }

      @Override
      boolean isClosed() {
        return socket.isClosed();
      }

      @Override
      public void close() throws IOException {
        socket.close();
        peer.close();
      }
    };
  }

  private static BlockingCall serverSocketAccept() {
    return new BlockingCall("accept") {
      private ServerSocket listener;

      @Override
      void prepare() throws IOException {
        listener = new ServerSocket(0, 1, LOOPBACK);
      }

      @Override
      void block() throws IOException {
        listener.accept().close();
      }

      @Override
      void release() throws IOException {
        new Socket(LOOPBACK, listener.getLocalPort()).close();
      }

      @Override
      boolean isClosed() {
        return listener.isClosed();
      }

      @Override
      public void close() throws IOException {
        listener.close();
      }
    };
  }

  private static BlockingCall socketChannelRead() {
    return new BlockingCall("read") {
      private SocketChannel channel;
      private SocketChannel peer;

      @Override
      void prepare() throws IOException {
        try (ServerSocketChannel listener = listen()) {
          channel = SocketChannel.open(listener.getLocalAddress());
          peer = listener.accept();
        }
      }

      @Override
      void block() throws IOException {
        channel.read(ByteBuffer.allocate(1));
      }

      @Override
      void release() throws IOException {
        peer.write(ByteBuffer.wrap(new byte[1]));
      }

      @Override
      boolean isClosed() {
        return !channel.isOpen();
      }

      @Override
      public void close() throws IOException {
        channel.close();
        peer.close();
      }
    };
  }

  private static ServerSocketChannel listen() throws IOException {
    return ServerSocketChannel.open().bind(new InetSocketAddress(LOOPBACK, 0));
  }

  private static BlockingCall serverSocketChannelAccept() {
    return new BlockingCall("accept") {
      private ServerSocketChannel listener;

      @Override
      void prepare() throws IOException {
        listener = listen();
      }

      @Override
      void block() throws IOException {
        listener.accept().close();
      }

      @Override
      void release() throws IOException {
        SocketChannel.open(listener.getLocalAddress()).close();
      }

      @Override
      boolean isClosed() {
        return !listener.isOpen();
      }

      @Override
      public void close() throws IOException {
        listener.close();
      }
    };
  }

  private static BlockingCall datagramReceive() {
    return new BlockingCall("receive") {
      private DatagramSocket socket;

      @Override
      void prepare() throws IOException {
        socket = new DatagramSocket(0, LOOPBACK);
      }

      @Override
      void block() throws IOException {
        socket.receive(new DatagramPacket(new byte[1], 1));
      }

      @Override
      void release() throws IOException {
        try (DatagramSocket peer = new DatagramSocket()) {
          peer.send(new DatagramPacket(new byte[1], 1, socket.getLocalSocketAddress()));
        }
      }

      @Override
      boolean isClosed() {
        return socket.isClosed();
      }

      @Override
      public void close() {
        socket.close();
      }
    };
  }

  private static BlockingCall select() {
    return new BlockingCall("select") {
      private Selector selector;

      @Override
      void prepare() throws IOException {
        selector = Selector.open();
      }

      @Override
      void block() throws IOException {
        selector.select();
      }

      @Override
      void release() {
        selector.wakeup();
      }

      @Override
      boolean isClosed() {
        return !selector.isOpen();
      }

      @Override
      public void close() throws IOException {
        selector.close();
      }
    };
  }

  private static BlockingCall httpSend() {
    CountDownLatch answer = new CountDownLatch(1);
    return new BlockingCall("send") {
      private HttpServer server;
      private HttpClient client;

      @Override
      void prepare() throws IOException {
        client = HttpClient.newHttpClient();
        server = HttpServer.create(new InetSocketAddress(LOOPBACK, 0), 0);
        server.createContext(
            "/",
            exchange -> {
              awaitUninterruptibly(answer);
              exchange.sendResponseHeaders(204, -1);
              exchange.close();
            });
        server.start();
      }

      @Override
      void block() throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.discarding());
      }

      @Override
      void release() {
        answer.countDown();
      }

      @Override
      public void close() {
        answer.countDown();
        server.stop(0);
        client.shutdownNow();
      }
    };
  }

  /** A way to read a file. */
  private interface Reading {
    Object of(Path file) throws IOException;
  }

  /** Reads a named pipe, which blocks as a slow disk does. */
  private static BlockingCall pipe(Path folder, String method, Reading reading) {
    return new BlockingCall(method) {
      private final Path pipe = folder.resolve("pipe-" + PIPES.incrementAndGet());
      private FileChannel writer;

      @Override
      void prepare() throws IOException, InterruptedException {
        if (new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() != 0) {
          throw new IOException("mkfifo failed");
        }
        // For reading as well, or opening it would wait for a reader.
        writer = FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE);
      }

      @Override
      void block() throws IOException {
        reading.of(pipe);
      }

      @Override
      void release() throws IOException {
        writer.write(ByteBuffer.wrap(new byte[1]));
        writer.close();
      }
    };
  }

  private static Object readByStream(Path file) throws IOException {
    try (FileInputStream in = new FileInputStream(file.toFile())) {
      return in.read();
    }
  }

  private static Object readByChannel(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return channel.read(ByteBuffer.allocate(1));
    }
  }

  /** Blocks once: a class is initialised once. */
  private static BlockingCall classInitialiser() {
    return call("initialise", BlockingCalls::initialise, Slow.MAY_END::countDown);
  }

  private static void initialise() {
    Initialised.touch();
  }

  /** What {@link Initialised} waits for. */
  private static final class Slow {
    static final CountDownLatch MAY_END = new CountDownLatch(1);
  }

  private static final class Initialised {
    static {
      awaitUninterruptibly(Slow.MAY_END);
    }

    static void touch() {}
  }

  private static BlockingCall computing() {
    AtomicInteger steps = new AtomicInteger();
    return call("compute", () -> compute(steps), () -> steps.set(Integer.MIN_VALUE));
  }

  private static void compute(AtomicInteger steps) {
    while (steps.getAndIncrement() >= 0) {
      Thread.onSpinWait();
    }
  }
}
