package dev.weir.stream;

import static dev.weir.stream.ProxyHeaders.ADDRESSES_4;
import static dev.weir.stream.ProxyHeaders.ADDRESSES_6;
import static dev.weir.stream.ProxyHeaders.LOCAL;
import static dev.weir.stream.ProxyHeaders.PROXY;
import static dev.weir.stream.ProxyHeaders.TCP4;
import static dev.weir.stream.ProxyHeaders.TCP6;
import static dev.weir.stream.ProxyHeaders.concat;
import static dev.weir.stream.ProxyHeaders.tlv;
import static dev.weir.stream.ProxyHeaders.v1;
import static dev.weir.stream.ProxyHeaders.v2;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.weir.Asyncio;
import dev.weir.task.Action;
import dev.weir.testing.VirtualLoop;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyHeaderReaderTest {
  private static final String TCP4_LINE = "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";

  private static @Nullable String format(@Nullable InetSocketAddress address) {
    return address == null ? null : address.getAddress().getHostAddress() + " " + address.getPort();
  }

  /** A stream of which everything has arrived, and its end. */
  private static StreamReader readerOf(byte[] sent) {
    StreamProtocol protocol =
        new StreamProtocol(Asyncio.runningLoop(), StreamOptions.defaults().withLimit(1 << 20));
    protocol.reader.feed(ByteBuffer.wrap(sent), null);
    protocol.reader.feedEof();
    return protocol.reader;
  }

  private static void inTask(Action body) {
    VirtualLoop.run(body);
  }

  // --- Well formed

  static Stream<Arguments> wellFormed() {
    byte[] unix = new byte[216];
    Arrays.fill(unix, (byte) '/');
    return Stream.of(
        arguments("v1 TCP4", v1(TCP4_LINE), "192.0.2.1 56324", "198.51.100.7 443"),
        arguments(
            "v1 TCP4 shortest", v1("PROXY TCP4 1.1.1.1 2.2.2.2 0 1\r\n"), "1.1.1.1 0", "2.2.2.2 1"),
        arguments(
            "v1 TCP6 longest",
            v1(
                "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                    + "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535 65535\r\n"),
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535"),
        arguments(
            "v1 TCP6 short",
            v1("PROXY TCP6 2001:db8::1 ::1 1 2\r\n"),
            "2001:db8:0:0:0:0:0:1 1",
            "0:0:0:0:0:0:0:1 2"),
        // Of an address of IPv6 that stands for one of IPv4, the JDK makes that one.
        arguments(
            "v1 TCP6 mapped source",
            v1("PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 1000 80\r\n"),
            "192.0.2.1 1000",
            "2001:db8:0:0:0:0:0:1 80"),
        arguments(
            "v1 TCP6 mapped destination",
            v1("PROXY TCP6 2001:db8::1 ::ffff:c000:201 1000 80\r\n"),
            "2001:db8:0:0:0:0:0:1 1000",
            "192.0.2.1 80"),
        arguments(
            "v2 TCP6 mapped source",
            v2(PROXY, TCP6, withMapped(0)),
            "192.0.2.1 56324",
            "2001:db8:0:0:0:0:0:7 443"),
        arguments(
            "v2 TCP6 mapped destination",
            v2(PROXY, TCP6, withMapped(16)),
            "2001:db8:0:0:0:0:0:1 56324",
            "192.0.2.1 443"),
        arguments("v1 UNKNOWN", v1("PROXY UNKNOWN\r\n"), null, null),
        arguments(
            "v1 UNKNOWN longest",
            v1(
                "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                    + "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
            null,
            null),
        arguments("v2 TCP4", v2(PROXY, TCP4, ADDRESSES_4), "192.0.2.1 56324", "198.51.100.7 443"),
        arguments(
            "v2 TCP6",
            v2(PROXY, TCP6, ADDRESSES_6),
            "2001:db8:0:0:0:0:0:1 56324",
            "2001:db8:0:0:0:0:0:7 443"),
        arguments(
            "v2 TLVs",
            v2(PROXY, TCP4, ADDRESSES_4, tlv(4, new byte[100]), tlv(0xee, new byte[0])),
            "192.0.2.1 56324",
            "198.51.100.7 443"),
        arguments(
            "v2 longest",
            v2(PROXY, TCP4, ADDRESSES_4, tlv(4, new byte[2048 - 16 - 12 - 3])),
            "192.0.2.1 56324",
            "198.51.100.7 443"),
        arguments(
            "v2 checksum", ProxyHeaders.v2WithChecksum(0), "192.0.2.1 56324", "198.51.100.7 443"),
        arguments("v2 UDP4", v2(PROXY, 0x12, ADDRESSES_4), null, null),
        arguments("v2 Unix", v2(PROXY, 0x31, unix), null, null),
        arguments("v2 UNSPEC", v2(PROXY, 0x00, new byte[] {1, 2, 3}), null, null),
        arguments("v2 LOCAL", v2(LOCAL, 0x00), null, null),
        arguments("v2 LOCAL with addresses", v2(LOCAL, TCP4, ADDRESSES_4), null, null));
  }

  /** {@link ProxyHeaders#ADDRESSES_6} with {@code ::ffff:192.0.2.1} in place of one of them. */
  private static byte[] withMapped(int at) {
    byte[] addresses = ADDRESSES_6.clone();
    byte[] mapped = HexFormat.of().parseHex("00000000000000000000ffffc0000201");
    System.arraycopy(mapped, 0, addresses, at, mapped.length);
    return addresses;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wellFormed")
  void aWellFormedHeaderIsReadAndNothingBehindIt(
      String name, byte[] header, @Nullable String source, @Nullable String destination) {
    inTask(() -> {
      StreamReader reader = readerOf(concat(header, v1("GET /\r\n")));

      ProxyHeader read = ProxyHeaderReader.read(reader);

      assertThat(format(read.source())).isEqualTo(source);
      assertThat(format(read.destination())).isEqualTo(destination);
      assertThat(new String(reader.readAll(), ISO_8859_1)).isEqualTo("GET /\r\n");
    });
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("wellFormed")
  void everyBeginningOfAHeaderAloneIsAnEndTooSoon(
      String name, byte[] header, @Nullable String source, @Nullable String destination) {
    inTask(() -> {
      for (int length = 0; length < header.length; length++) {
        StreamReader reader = readerOf(Arrays.copyOf(header, length));

        assertThatThrownBy(() -> ProxyHeaderReader.read(reader)).isInstanceOf(EOFException.class);
      }
    });
  }

  // --- Malformed

  static Stream<byte[]> malformedV2() {
    byte[] unknownSignature = v2(PROXY, TCP4, ADDRESSES_4);
    unknownSignature[11]++;
    return Stream.of(
        unknownSignature,
        v2(0x11, TCP4, ADDRESSES_4), // Version 1.
        v2(0x31, TCP4, ADDRESSES_4),
        v2(0x22, TCP4, ADDRESSES_4), // A command that is none.
        v2(0x2f, TCP4, ADDRESSES_4),
        v2(PROXY, 0x41, ADDRESSES_4), // A family that is none.
        v2(PROXY, 0x13, ADDRESSES_4), // A transport that is none.
        v2(LOCAL, 0x41),
        v2(PROXY, TCP4), // Without addresses.
        v2(PROXY, TCP4, Arrays.copyOf(ADDRESSES_4, 11)),
        v2(PROXY, TCP6, ADDRESSES_4),
        v2(PROXY, 0x31, new byte[215]),
        v2(PROXY, TCP4, ADDRESSES_4, new byte[] {4}),
        v2(PROXY, TCP4, ADDRESSES_4, new byte[] {4, 0}),
        v2(PROXY, TCP4, ADDRESSES_4, new byte[] {4, 0, 1}), // A TLV that ends behind the header.
        v2(PROXY, TCP4, ADDRESSES_4, new byte[] {4, (byte) 0xff, (byte) 0xff, 0}),
        v2(PROXY, TCP4, ADDRESSES_4, tlv(3, new byte[3])), // No checksum.
        v2(PROXY, TCP4, ADDRESSES_4, tlv(3, new byte[4])),
        ProxyHeaders.v2WithChecksum(1),
        v2(PROXY, TCP4, ADDRESSES_4, tlv(4, new byte[2048 - 16 - 12 - 2])), // A byte too long.
        v2(PROXY, TCP4, new byte[65_535]),
        v2(LOCAL, 0x00, new byte[65_535]));
  }

  @ParameterizedTest
  @MethodSource("malformedV2")
  void aMalformedHeaderOfVersion2IsRefused(byte[] header) {
    assertRefused(header);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "GET / HTTP/1.1\r\n\r\n",
        "PROXYTCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
        "proxy TCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY TCP5 192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY tcp4 192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY UDP4 192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY UNKNOW\r\n",
        "PROXY TCP4 \r\n",
        "PROXY \r\nTCP4 192.0.2.1\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 7\r\n",
        "PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 192.0.2 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 192.0.2.256 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 192.0.2.01 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 192.0.2.-1 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 localhost 198.51.100.7 56324 443\r\n",
        "PROXY TCP4 ::1 ::1 56324 443\r\n",
        "PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n",
        "PROXY TCP6 ::g ::1 56324 443\r\n",
        "PROXY TCP6 [::1] ::1 56324 443\r\n",
        "PROXY TCP6 fe80::1%lo ::1 56324 443\r\n",
        "PROXY TCP6 1:2:3 ::1 56324 443\r\n",
        "PROXY TCP6 : : 56324 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 65536 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 99999999999 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 -1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 +1 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 080 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 \u0661 443\r\n",
        "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n\r\n",
        "PROXY TCP4 192.0.2.1\0 198.51.100.7 56324 443\r\n",
      })
  void aMalformedHeaderOfVersion1IsRefused(String header) {
    assertRefused(v1(header));
  }

  @Test
  void aLineOfMoreThan107BytesIsRefusedAtItsEnd() {
    String padding = "x".repeat(107 - "PROXY UNKNOWN \r\n".length());
    inTask(() ->
        assertThat(ProxyHeaderReader.read(readerOf(v1("PROXY UNKNOWN " + padding + "\r\n"))))
            .isNotNull());

    assertRefused(v1("PROXY UNKNOWN " + padding + "x\r\n"));
  }

  /** It is logged, if at DEBUG only. */
  @Test
  void whatThePeerSentIsNotInTheMessage() {
    inTask(() ->
        assertThatThrownBy(
                () -> ProxyHeaderReader.read(readerOf(v1("PROXY TCP4 evil evil evil evil\r\n"))))
            .isInstanceOf(ProtocolException.class)
            .hasMessageNotContaining("evil"));
  }

  private static void assertRefused(byte[] header) {
    inTask(() -> {
      StreamReader reader = readerOf(concat(header, new byte[200]));

      assertThatThrownBy(() -> ProxyHeaderReader.read(reader))
          .isInstanceOf(ProtocolException.class);
    });
  }

  // --- Anything

  /** Half of them begin as headers do, or nobody would get far. */
  @Test
  void whateverIsSentIsReadOrRefused() {
    List<byte[]> headers = new ArrayList<>();
    wellFormed().forEach(arguments -> headers.add((byte[]) arguments.get()[1]));
    malformedV2().forEach(headers::add);
    Random random = new Random(19);
    int[] outcomes = new int[2];

    inTask(() -> {
      for (int i = 0; i < 100_000; i++) {
        byte[] sent =
            i % 4 == 0 ? randomBytes(random) : mutated(headers.get(i % headers.size()), random);
        try {
          ProxyHeaderReader.read(readerOf(sent));
          outcomes[0]++;
        } catch (IOException e) {
          assertThat(e).isInstanceOfAny(ProtocolException.class, EOFException.class);
          outcomes[1]++;
        }
      }
    });

    assertThat(outcomes[0]).as("read").isGreaterThan(5_000);
    assertThat(outcomes[1]).as("refused").isGreaterThan(50_000);
  }

  static byte[] randomBytes(Random random) {
    byte[] bytes = new byte[random.nextInt(300)];
    random.nextBytes(bytes);
    byte[] start = v1(random.nextBoolean() ? "PROXY TCP4 " : "\r\n\r\n\0\r\nQUIT\n!\u0011");
    System.arraycopy(start, 0, bytes, 0, random.nextInt(Math.min(start.length, bytes.length) + 1));
    return bytes;
  }

  static byte[] mutated(byte[] header, Random random) {
    byte[] mutated = Arrays.copyOf(header, Math.max(1, header.length + random.nextInt(12) - 6));
    for (int changes = random.nextInt(4); changes > 0; changes--) {
      int at = random.nextInt(Math.min(mutated.length, 120));
      mutated[at] =
          random.nextBoolean()
              ? (byte) random.nextInt(256)
              : (byte) (mutated[at] ^ (1 << random.nextInt(8)));
    }
    return mutated;
  }
}
