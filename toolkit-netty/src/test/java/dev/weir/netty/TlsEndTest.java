package dev.weir.netty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.weir.Asyncio;
import dev.weir.stream.ConnectionHandler;
import dev.weir.stream.ConnectionResetException;
import dev.weir.stream.ServerOptions;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Future;
import dev.weir.task.Task;
import dev.weir.tls.ServerTls;
import dev.weir.tls.TlsException;
import dev.weir.tls.TlsProvider;
import dev.weir.tls.TlsTruncatedException;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * How secured connections end, and what becomes of those whose peer does not keep to the protocol.
 */
@ExtendWith(LeakCheck.class)
class TlsEndTest {
  @EachTlsProvider
  void theEndOfTheSessionIsTheEndOfTheStream(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          client.send("all of it");
          client.socket().close();

          assertThat(RawPeer.text(served.reader().readAll())).isEqualTo("all of it");
          OnLoop.passRoundsUntil(served.writer()::isClosing);
          assertThatExceptionOfType(ConnectionResetException.class)
              .isThrownBy(() -> served.writer().write("too late"));
          served.writer().waitClosed();
        });
  }

  @EachTlsProvider
  void whatArrivedBeforeAResetStaysReadableAlsoWhenAWriteNoticesIt(
      String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          client.send("last words");
          client.beneath().setSoLinger(true, 0);
          client.beneath().close();
          served.writer().write("hello?");
          served.writer().write("hello?");

          assertThat(RawPeer.text(served.reader().read(4))).isEqualTo("last");
          assertThat(RawPeer.text(served.reader().read(100))).isEqualTo(" words");
          assertThatExceptionOfType(ConnectionResetException.class)
              .isThrownBy(() -> served.reader().read(1));
        });
  }

  @EachTlsProvider
  void aConnectionThatEndsWithoutTheEndOfItsSessionWasCutOff(
      String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          client.send("the first half");
          client.beneath().shutdownOutput();

          assertThat(RawPeer.text(served.reader().read(100))).isEqualTo("the first half");
          for (int i = 0; i < 2; i++) {
            assertThatExceptionOfType(TlsTruncatedException.class)
                .isThrownBy(() -> served.reader().readAll())
                .withMessageStartingWith("The connection ended without the end of the TLS session");
          }
        });
  }

  @EachTlsProvider
  void aReadToTheEndIsNotSatisfiedByWhatWasCutOff(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          client.send("the first half");
          client.beneath().shutdownOutput();

          assertThatExceptionOfType(TlsTruncatedException.class)
              .isThrownBy(() -> served.reader().readAll());
          assertThat(RawPeer.text(served.reader().read(100))).isEqualTo("the first half");
        });
  }

  @EachTlsProvider
  void whoeverAllowsItReadsACutOffStreamToItsEnd(String transport, TlsProvider provider) {
    ServerTls lenient = TestCertificates.serverTls(provider).withTruncationAllowed(true);
    withServed(
        transport,
        lenient,
        (served, client) -> {
          client.send("the first half");
          client.beneath().shutdownOutput();

          assertThat(RawPeer.text(served.reader().readAll())).isEqualTo("the first half");
        });
  }

  @EachTlsProvider
  void whatComesBehindTheEndOfTheSessionIsNotKept(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        false,
        (served, client) -> {
          served.writer().setWriteBufferLimits(16 << 20, 0);
          served.writer().write(new byte[14 << 20]); // The connection stays until it is taken.
          OnLoop.onWorker(
                  () -> {
                    client.socket().shutdownOutput();
                    return null;
                  })
              .await();
          assertThat(served.reader().readAll()).isEmpty();
          long before = PlatformDependent.usedDirectMemory();
          OutputStream beneath = client.beneath().getOutputStream();
          for (int i = 0; i < 300; i++) {
            OnLoop.onWorker(
                    () -> {
                      beneath.write(new byte[] {23, 3, 3, 0, 0});
                      return null;
                    })
                .await();
            OnLoop.passRounds(3);
          }

          assertThat(PlatformDependent.usedDirectMemory() - before).isLessThan(8 << 20);
        });
  }

  @EachTlsProvider
  void aPeerThatNeverEndsItsSideIsNotWaitedForForEver(String transport, TlsProvider provider) {
    ServerTls hasty =
        TestCertificates.serverTls(provider).withShutdownTimeout(Duration.ofMillis(30));
    withServed(
        transport,
        hasty,
        (served, client) -> {
          served.writer().write("bye");
          served.writer().close();

          assertThatExceptionOfType(SocketTimeoutException.class)
              .isThrownBy(() -> served.writer().waitClosed())
              .withMessage("The peer did not end the TLS session within 0.03 s");
          assertThat(client.receive(3)).isEqualTo("bye"); // What was sent before is there.
        });
  }

  @EachTlsProvider
  void aTimeForThePeersEndMayBeForEver(String transport, TlsProvider provider) {
    ServerTls patient =
        TestCertificates.serverTls(provider)
            .withShutdownTimeout(Duration.ofSeconds(Long.MAX_VALUE));
    withServed(
        transport,
        patient,
        (served, client) -> {
          served.writer().write("bye");
          served.writer().close();
          assertThat(client.receive(100)).isEqualTo("bye");
          client.socket().close();
          served.writer().waitClosed();
        });
  }

  @EachTlsProvider
  void closingWaitsForThePeersEndAndNotLonger(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          served.writer().write("bye");
          served.writer().close();
          assertThat(client.receive(100)).isEqualTo("bye"); // To the end, which comes before ours.
          client.socket().close();

          served.writer().waitClosed();
        });
  }

  @EachTlsProvider
  void whatThePeerStillSendsIsDroppedAndHarmsNothing(String transport, TlsProvider provider) {
    for (String version : List.of("TLSv1.3", "TLSv1.2")) {
      ServerTls tls = TestCertificates.serverTls(provider).withProtocols(version);
      withServed(
          transport,
          tls,
          (served, client) -> {
            served.writer().write("bye");
            served.writer().close();
            byte[] lot = new byte[8 * 1024 * 1024]; // More than all buffers on the way take.
            OnLoop.onWorker(
                    () -> {
                      client.socket().getOutputStream().write(lot);
                      return null;
                    })
                .await();

            assertThat(client.receive(100)).isEqualTo("bye");
            client.socket().close();
            served.writer().waitClosed();
          });
    }
  }

  @EachTlsProvider
  void aWriterThatWaitsLearnsThatThePeerHasEnded(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          Task<Void> writing =
              Asyncio.createTask(() -> {
                while (true) {
                  served.writer().write(new byte[64 * 1024]); // The client reads none of it.
                }
              });
          OnLoop.passRoundsUntil(() -> served.writer().writeBufferSize() > 64 * 1024);
          OnLoop.onWorker(
                  () -> {
                    client
                        .socket()
                        .shutdownOutput(); // The end of its session, and not of the socket.
                    return null;
                  })
              .await();

          assertThatExceptionOfType(ConnectionResetException.class)
              .isThrownBy(() -> writing.await(IOException.class));
        });
  }

  @EachTlsProvider
  void theTimeForThePeersEndBeginsWhenAllIsSent(String transport, TlsProvider provider) {
    ServerTls hasty =
        TestCertificates.serverTls(provider).withShutdownTimeout(Duration.ofMillis(1));
    withServed(
        transport,
        hasty,
        (served, client) -> {
          byte[] lot = new byte[8 * 1024 * 1024]; // More than all buffers on the way take.
          served.writer().setWriteBufferLimits(lot.length, lot.length);
          served.writer().write(lot);
          served.writer().close();
          Duration much = Asyncio.runningLoop().time().plusMillis(50); // A client takes its time.
          OnLoop.passRoundsUntil(() -> Asyncio.runningLoop().time().compareTo(much) > 0);

          assertThat(served.writer().writeBufferSize()).as("what is still to be sent").isPositive();
          assertThat(client.receive(lot.length / 4)).hasSize(lot.length / 4);
        });
  }

  @EachTlsProvider
  void oneDirectionDoesNotEndAlone(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          assertThat(served.writer().canWriteEof()).isFalse();
          assertThatExceptionOfType(UnsupportedOperationException.class)
              .isThrownBy(() -> served.writer().writeEof())
              .withMessageContaining("or close()");

          served.writer().write("unharmed");
          assertThat(client.receive(8)).isEqualTo("unharmed");
        });
  }

  @EachTlsProvider
  void anAbortResets(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          served.writer().abort();

          assertThatExceptionOfType(IOException.class).isThrownBy(() -> client.receive(1));
        });
  }

  @EachTlsProvider
  void whatCannotBeDecryptedEndsThatConnectionOnly(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          byte[] record = new byte[5 + 64]; // Application data, and no key that it fits to.
          record[0] = 23;
          record[1] = 3;
          record[2] = 3;
          record[4] = 64;
          client.beneath().getOutputStream().write(record);

          assertThatExceptionOfType(TlsException.class)
              .isThrownBy(() -> served.reader().read(1))
              .withMessageStartingWith("TLS failed: ");
          assertThatExceptionOfType(IOException.class).isThrownBy(() -> served.writer().write("x"));
        });
  }

  @EachTlsProvider
  void whatIsNoRecordEndsTheConnectionWithoutBeingShown(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider),
        (served, client) -> {
          client
              .beneath()
              .getOutputStream()
              .write("password: hunter2".getBytes(StandardCharsets.UTF_8));

          assertThatExceptionOfType(TlsException.class)
              .isThrownBy(() -> served.reader().read(1))
              .satisfies(e -> {
                for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                  assertThat(cause.toString())
                      .doesNotContain("hunter2")
                      .doesNotContain("68756e74657232"); // The same in hexadecimal.
                }
              });
        });
  }

  @EachTlsProvider
  void aPeerThatShakesHandsAgainIsRefused(String transport, TlsProvider provider) {
    withServed(
        transport,
        TestCertificates.serverTls(provider).withProtocols("TLSv1.2"),
        (served, client) -> {
          client.send("x");
          assertThat(RawPeer.text(served.reader().read(1))).isEqualTo("x");
          Future<?> again =
              OnLoop.onWorker(() -> {
                try {
                  client.socket().startHandshake();
                  return client.socket().getInputStream().read();
                } catch (IOException e) {
                  return e;
                }
              });

          assertThatExceptionOfType(IOException.class).isThrownBy(() -> served.reader().read(1));
          again.await();
        });
  }

  // --- What the tests share

  /** A JDK socket with TLS, and the plain one beneath it. */
  private record Client(SSLSocket socket, Socket beneath) {
    void send(String text) {
      OnLoop.onWorker(
              () -> {
                socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
                return null;
              })
          .await();
    }

    /** Receives so many bytes, or to the end. */
    String receive(int length) throws IOException {
      byte[] received =
          OnLoop.onWorker(() -> socket.getInputStream().readNBytes(length))
              .await(IOException.class);
      return new String(received, StandardCharsets.UTF_8);
    }
  }

  private interface Body {
    void run(Connected served, Client client) throws Exception;
  }

  /** The served end. */
  private record Connected(StreamReader reader, StreamWriter writer) {}

  private static void withServed(String transport, ServerTls tls, Body body) {
    withServed(transport, tls, true, body);
  }

  /**
   * @param endsBeneath whether the client's end of the session is that of what is beneath it too
   */
  private static void withServed(String transport, ServerTls tls, boolean endsBeneath, Body body) {
    OnLoop.run(
        transport,
        () -> {
          Future<Connected> accepted = Asyncio.runningLoop().createFuture();
          ConnectionHandler handler =
              (reader, writer) -> {
                writer.detach();
                accepted.setResult(new Connected(reader, writer));
              };
          try (var server =
              Asyncio.startServer(handler, "127.0.0.1", 0, ServerOptions.defaults().withTls(tls))) {
            int port = server.addresses().getFirst().getPort();
            Client client = OnLoop.onWorker(() -> connect(port, endsBeneath)).await();
            Connected served = accepted.await();
            try {
              body.run(served, client);
            } finally {
              served.writer().abort();
              client.beneath().close();
            }
          }
        });
  }

  private static Client connect(int port, boolean endsBeneath) throws IOException {
    Socket beneath = new Socket("127.0.0.1", port);
    SSLSocket socket =
        (SSLSocket)
            TestCertificates.plainContext()
                .getSocketFactory()
                .createSocket(beneath, "localhost", port, endsBeneath);
    socket.startHandshake();
    return new Client(socket, beneath);
  }
}
