package dev.weir.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * Reads the header of the PROXY protocol, version 1 or 2, off the front of a stream; what comes
 * behind it stays there. Strict: whoever sends one is a proxy, which writes it correctly or is
 * somebody else.
 */
final class ProxyHeaderReader {
  /** The longest header of version 1, its CRLF counted, by the specification. */
  static final int V1_BYTES_MAX = 107;

  /** The longest of version 2 that is taken; it could say 64 KiB, and proxies send less than 1. */
  static final int V2_BYTES_MAX = 2048;

  private static final byte[] V2_SIGNATURE = {
    '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'
  };

  private static final byte[] V1_START = "PROXY ".getBytes(ISO_8859_1);
  private static final int V1_PARTS = 6;
  private static final int PORT_MAX = 65_535;

  private ProxyHeaderReader() {}

  /**
   * Suspends until the header is there, and takes it out of the stream.
   *
   * @throws ProtocolException if what is there is none
   * @throws IOException if the stream ends before, or is lost
   */
  static ProxyHeader read(StreamReader reader) throws IOException {
    // No header is shorter than this, so nothing of what comes behind is taken.
    byte[] start = reader.readExactly(V2_SIGNATURE.length);
    if (Arrays.equals(start, V2_SIGNATURE)) {
      return readV2(reader);
    }
    if (Arrays.equals(start, 0, V1_START.length, V1_START, 0, V1_START.length)) {
      return readV1(reader, start);
    }
    throw new ProtocolException("The connection begins with no PROXY header");
  }

  private interface Parser {
    ProxyHeader parse() throws IOException;
  }

  /**
   * What the JDK makes of an odd address is the peer's doing: it ends this connection, and is no
   * report of a handler that failed.
   */
  private static ProxyHeader parse(Parser parser) throws IOException {
    try {
      return parser.parse();
    } catch (RuntimeException e) {
      // Not as the cause, whose message may say what the peer sent.
      ProtocolException malformed = malformed("it leads to " + e.getClass().getName());
      malformed.setStackTrace(e.getStackTrace());
      throw malformed;
    }
  }

  // --- Version 1

  private static ProxyHeader readV1(StreamReader reader, byte[] start) throws IOException {
    byte[] line = Arrays.copyOf(start, V1_BYTES_MAX);
    int length = start.length;
    while (line[length - 2] != '\r' || line[length - 1] != '\n') {
      if (length == V1_BYTES_MAX) {
        throw malformed("it is longer than " + V1_BYTES_MAX + " bytes");
      }
      // One by one: the line may end anywhere, and what is behind it is not ours.
      line[length] = reader.readExactly(1)[0];
      length++;
    }
    String text = new String(line, 0, length - 2, ISO_8859_1);
    return parse(() -> parseV1(text));
  }

  private static ProxyHeader parseV1(String line) throws ProtocolException {
    if (line.equals("PROXY UNKNOWN") || line.startsWith("PROXY UNKNOWN ")) {
      return ProxyHeader.local();
    }
    String[] parts = line.split(" ", -1);
    if (parts.length != V1_PARTS) {
      throw malformed("it has " + parts.length + " parts instead of " + V1_PARTS);
    }
    boolean ipv6 = parts[1].equals("TCP6");
    if (!ipv6 && !parts[1].equals("TCP4")) {
      throw malformed("its protocol is none of TCP4, TCP6 and UNKNOWN");
    }
    return ProxyHeader.received(
        1,
        new InetSocketAddress(parseAddress(parts[2], ipv6), parsePort(parts[4])),
        new InetSocketAddress(parseAddress(parts[3], ipv6), parsePort(parts[5])));
  }

  private static InetAddress parseAddress(String text, boolean ipv6) throws ProtocolException {
    // The JDK's parser takes more than the protocol allows: scopes, brackets, 127.1.
    boolean wellFormed = ipv6 ? isIpv6(text) : isIpv4(text);
    if (wellFormed) {
      try {
        return InetAddress.ofLiteral(text);
      } catch (IllegalArgumentException e) {
        // Said below.
      }
    }
    throw malformed("an address is no IPv" + (ipv6 ? 6 : 4) + " address");
  }

  private static boolean isIpv6(String text) {
    return text.indexOf(':') >= 0
        && text.chars().allMatch(c -> c == ':' || c == '.' || isHexDigit(c));
  }

  private static boolean isHexDigit(int c) {
    return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }

  private static boolean isIpv4(String text) {
    String[] parts = text.split("\\.", -1);
    return parts.length == 4 && Arrays.stream(parts).allMatch(part -> isNumber(part, 255));
  }

  private static int parsePort(String text) throws ProtocolException {
    if (!isNumber(text, PORT_MAX)) {
      throw malformed("a port is not from 0 to " + PORT_MAX);
    }
    return Integer.parseInt(text);
  }

  /** {@return whether it is one in decimal, without a leading zero} */
  private static boolean isNumber(String text, int max) {
    return !text.isEmpty()
        && text.length() <= 5
        && text.chars().allMatch(ProxyHeaderReader::isDigit)
        && (text.length() == 1 || text.charAt(0) != '0')
        && Integer.parseInt(text) <= max;
  }

  private static boolean isDigit(int c) {
    return c >= '0' && c <= '9';
  }

  // --- Version 2

  private static final int V2_FIXED_BYTES = 4;

  private static final int LOCAL = 0;
  private static final int PROXY = 1;

  private static final int INET = 1;
  private static final int UNIX = 3;
  private static final int FAMILY_MAX = UNIX;
  private static final int STREAM = 1;
  private static final int TRANSPORT_MAX = 2;

  /** By family: two addresses, and two ports where it has ports. */
  private static final int[] ADDRESS_BYTES = {0, 12, 36, 216};

  private static ProxyHeader readV2(StreamReader reader) throws IOException {
    byte[] fixed = reader.readExactly(V2_FIXED_BYTES);
    int version = (fixed[0] & 0xf0) >> 4;
    int command = fixed[0] & 0x0f;
    int family = (fixed[1] & 0xf0) >> 4;
    int transport = fixed[1] & 0x0f;
    int length = unsignedShort(fixed, 2);
    if (version != 2) {
      throw malformed("its version is " + version + " behind the signature of version 2");
    }
    if (command != LOCAL && command != PROXY) {
      throw malformed("its command is " + command);
    }
    if (family > FAMILY_MAX || transport > TRANSPORT_MAX) {
      throw malformed("its family is " + family + " and its transport " + transport);
    }
    if (V2_SIGNATURE.length + V2_FIXED_BYTES + length > V2_BYTES_MAX) {
      throw malformed("it is longer than " + V2_BYTES_MAX + " bytes");
    }
    byte[] block = reader.readExactly(length);
    return parse(() -> parseV2(fixed, block));
  }

  private static ProxyHeader parseV2(byte[] fixed, byte[] block) throws IOException {
    int command = fixed[0] & 0x0f;
    int family = (fixed[1] & 0xf0) >> 4;
    int transport = fixed[1] & 0x0f;
    if (command == LOCAL || family == 0) {
      return ProxyHeader.local(); // What else it says is to be ignored.
    }
    if (block.length < ADDRESS_BYTES[family]) {
      throw malformed(
          "its " + block.length + " bytes are too few for addresses of family " + family);
    }
    checkExtensions(fixed, block, ADDRESS_BYTES[family]);
    if (transport != STREAM || family == UNIX) {
      return ProxyHeader.local();
    }
    int addressBytes = family == INET ? 4 : 16;
    return ProxyHeader.received(
        2,
        address(block, 0, addressBytes, 2 * addressBytes),
        address(block, addressBytes, addressBytes, 2 * addressBytes + 2));
  }

  private static InetSocketAddress address(byte[] block, int from, int length, int portAt)
      throws UnknownHostException {
    byte[] address = Arrays.copyOfRange(block, from, from + length);
    return new InetSocketAddress(InetAddress.getByAddress(address), unsignedShort(block, portAt));
  }

  private static final int CRC32C_TYPE = 3;
  private static final int CRC32C_BYTES = 4;
  private static final int EXTENSION_START_BYTES = 3;

  /** What follows the addresses, each with a type and a length. Only the checksum is looked at. */
  private static void checkExtensions(byte[] fixed, byte[] block, int from)
      throws ProtocolException {
    boolean checked = false;
    int at = from;
    while (at < block.length) {
      int left = block.length - at - EXTENSION_START_BYTES;
      if (left < 0 || unsignedShort(block, at + 1) > left) {
        throw malformed("an extension is longer than the header");
      }
      int length = unsignedShort(block, at + 1);
      if (block[at] == CRC32C_TYPE) {
        if (checked || length != CRC32C_BYTES) {
          throw malformed("its checksum has " + length + " bytes, or it has two");
        }
        checked = true;
        checkSum(fixed, block, at + EXTENSION_START_BYTES);
      }
      at += EXTENSION_START_BYTES + length;
    }
  }

  private static void checkSum(byte[] fixed, byte[] block, int at) throws ProtocolException {
    CRC32C sum = new CRC32C();
    sum.update(V2_SIGNATURE);
    sum.update(fixed);
    sum.update(block, 0, at);
    sum.update(new byte[CRC32C_BYTES]); // Computed with zeros in its own place.
    sum.update(block, at + CRC32C_BYTES, block.length - at - CRC32C_BYTES);
    long said = ((long) unsignedShort(block, at) << 16) | unsignedShort(block, at + 2);
    if (sum.getValue() != said) {
      throw malformed("its checksum is wrong");
    }
  }

  private static int unsignedShort(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  /** Nothing of what the peer sent gets into the text. */
  private static ProtocolException malformed(String why) {
    return new ProtocolException("The PROXY header is malformed: " + why);
  }
}
