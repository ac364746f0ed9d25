package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.IDN;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** As much of DNS's format (RFC 1035) as it takes to ask for the addresses of a name. */
final class DnsMessage {
  private static final int HEADER_BYTES = 12;
  private static final int QUERY_BYTES_MAX = 512;
  private static final int LABEL_BYTES_MAX = 63;
  private static final int INTERNET = 1;

  private static final int RECURSION_DESIRED = 0x0100;
  private static final int RESPONSE = 0x8000;
  private static final int TRUNCATED = 0x0200;
  private static final int RESULT = 0x000f;
  private static final int NO_SUCH_NAME = 3;

  /** What is asked for. */
  enum Type {
    A(1),
    AAAA(28);

    private final int code;

    Type(int code) {
      this.code = code;
    }
  }

  private DnsMessage() {}

  /**
   * {@return a query with a number that its answer has to bear; a name beyond ASCII is asked for in
   * the form that DNS has for it}
   *
   * @throws UnknownHostException if that cannot be a name
   */
  static byte[] query(int id, String name, Type type) throws UnknownHostException {
    ByteBuffer query = ByteBuffer.allocate(QUERY_BYTES_MAX);
    query.putShort((short) id).putShort((short) RECURSION_DESIRED);
    query.putShort((short) 1).putShort((short) 0).putShort((short) 0).putShort((short) 0);
    String ascii = toAscii(name);
    String relative = ascii.endsWith(".") ? ascii.substring(0, ascii.length() - 1) : ascii;
    for (String label : relative.split("\\.", -1)) {
      byte[] bytes = label.getBytes(US_ASCII);
      if (bytes.length == 0
          || bytes.length > LABEL_BYTES_MAX
          || query.remaining() < LABEL_BYTES_MAX + 6) {
        throw refusal(name);
      }
      query.put((byte) bytes.length).put(bytes);
    }
    query.put((byte) 0).putShort((short) type.code).putShort((short) INTERNET);
    return Arrays.copyOf(query.array(), query.position());
  }

  private static String toAscii(String name) throws UnknownHostException {
    try {
      return IDN.toASCII(name);
    } catch (IllegalArgumentException e) {
      UnknownHostException refusal = refusal(name);
      refusal.initCause(e);
      throw refusal;
    }
  }

  private static UnknownHostException refusal(String name) {
    return new UnknownHostException(name + ": no name of DNS looks like this");
  }

  /** {@return whether a datagram answers a query: it has its number, and repeats its question} */
  static boolean isAnswer(byte[] datagram, byte[] query) {
    return datagram.length >= query.length
        && Arrays.equals(datagram, 0, 2, query, 0, 2)
        && (ByteBuffer.wrap(datagram).getShort(2) & RESPONSE) != 0
        && Arrays.equals(datagram, HEADER_BYTES, query.length, query, HEADER_BYTES, query.length);
  }

  /**
   * {@return the addresses in an answer, perhaps none}
   *
   * @throws UnknownHostException if the answer is that there is no such name
   * @throws IOException if the server could not tell, or only in part
   */
  static List<InetAddress> addresses(byte[] answer, byte[] query, String name, Type type)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(answer);
    int flags = buffer.getShort(2);
    if ((flags & RESULT) == NO_SUCH_NAME) {
      throw new UnknownHostException(name);
    }
    if ((flags & RESULT) != 0) {
      throw new IOException("The server could not look up " + name + ": error " + (flags & RESULT));
    }
    if ((flags & TRUNCATED) != 0) {
      throw new IOException("The answer for " + name + " is too long for a datagram");
    }
    try {
      return records(buffer.position(query.length), answer, type);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new IOException("The answer for " + name + " ends in the middle", e);
    }
  }

  private static List<InetAddress> records(ByteBuffer answer, byte[] bytes, Type type)
      throws UnknownHostException {
    List<InetAddress> addresses = new ArrayList<>();
    int count = Short.toUnsignedInt(answer.getShort(6));
    for (int i = 0; i < count; i++) {
      skipName(answer);
      int found = Short.toUnsignedInt(answer.getShort());
      answer.position(answer.position() + 6); // The class, and how long it may be kept.
      int length = Short.toUnsignedInt(answer.getShort());
      int start = answer.position();
      answer.position(start + length);
      if (found == type.code) { // And not an alias on the way.
        addresses.add(InetAddress.getByAddress(Arrays.copyOfRange(bytes, start, start + length)));
      }
    }
    return addresses;
  }

  /** A name is labels up to an empty one, or up to a reference of two bytes to an earlier name. */
  private static void skipName(ByteBuffer answer) {
    for (int length = answer.get(); length != 0; length = answer.get()) {
      if (length < 0) {
        answer.get();
        return;
      }
      answer.position(answer.position() + length);
    }
  }
}
