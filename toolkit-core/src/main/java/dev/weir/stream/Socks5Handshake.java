package dev.weir.stream;

import dev.weir.stream.ProxyServer.Credentials;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;

/** Asks a SOCKS5 proxy (RFC 1928, RFC 1929). */
record Socks5Handshake(ProxyServer proxy) implements ProxyHandshake {
  private static final int VERSION = 5;
  private static final int NO_AUTHENTICATION = 0;
  private static final int USER_AND_PASSWORD = 2;
  private static final int NONE_ACCEPTABLE = 0xff;
  private static final int SUCCEEDED = 0;
  private static final int AUTHENTICATION_VERSION = 1;
  private static final int CONNECT = 1;
  private static final int IPV4 = 1;
  private static final int NAME = 3;
  private static final int IPV6 = 4;
  private static final int PORT_BYTES = 2;

  @Override
  public void open(StreamReader reader, StreamWriter writer, ProxyTarget target)
      throws IOException {
    Credentials credentials = proxy.credentials();
    writer.write(
        credentials == null
            ? bytes(VERSION, 1, NO_AUTHENTICATION)
            : bytes(VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD));
    int method = answer(reader, VERSION);
    if (method == USER_AND_PASSWORD && credentials != null) {
      writer.write(authentication(credentials));
      if (answer(reader, AUTHENTICATION_VERSION) != SUCCEEDED) {
        throw refusal("does not accept the user and password");
      }
    } else if (method == NONE_ACCEPTABLE) {
      throw refusal(
          credentials == null
              ? "wants to know who asks: give it ProxyServer.withCredentials()"
              : "accepts neither user and password nor nothing at all");
    } else if (method != NO_AUTHENTICATION) {
      throw refusal("chose authentication method " + method + ", which was not offered");
    }
    writer.write(request(target));
    int reply = answer(reader, VERSION);
    if (reply != SUCCEEDED) {
      throw refusal("did not connect to " + target + ": " + reason(reply));
    }
    skipBoundAddress(reader);
  }

  /** {@return the second byte of an answer, of which the first is a version} */
  private int answer(StreamReader reader, int version) throws IOException {
    byte[] answer = reader.readExactly(2);
    if (answer[0] != version) {
      throw refusal("answers in version " + (answer[0] & 0xff) + ", not " + version);
    }
    return answer[1] & 0xff;
  }

  private static byte[] authentication(Credentials credentials) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.write(AUTHENTICATION_VERSION);
    writeCounted(message, credentials.user());
    writeCounted(message, credentials.password());
    return message.toByteArray();
  }

  private static byte[] request(ProxyTarget target) {
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.writeBytes(bytes(VERSION, CONNECT, 0));
    InetAddress address = target.address();
    if (address == null) {
      message.write(NAME);
      writeCounted(message, target.name());
    } else {
      byte[] raw = address.getAddress();
      message.write(raw.length == 4 ? IPV4 : IPV6);
      message.writeBytes(raw);
    }
    message.write(target.port() >> 8);
    message.write(target.port());
    return message.toByteArray();
  }

  private static void writeCounted(ByteArrayOutputStream message, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    message.write(bytes.length);
    message.writeBytes(bytes);
  }

  private void skipBoundAddress(StreamReader reader) throws IOException {
    int type = reader.readExactly(2)[1]; // The byte before it is reserved.
    int length =
        switch (type) {
          case IPV4 -> 4;
          case IPV6 -> 16;
          case NAME -> reader.readExactly(1)[0] & 0xff;
          default -> throw refusal("answers with an address of type " + (type & 0xff));
        };
    reader.readExactly(length + PORT_BYTES);
  }

  private static String reason(int reply) {
    return switch (reply) {
      case 1 -> "general failure";
      case 2 -> "its rules do not allow it";
      case 3 -> "the network is unreachable";
      case 4 -> "the host is unreachable";
      case 5 -> "the connection was refused";
      case 6 -> "the time to live expired";
      case 7 -> "it does not know the command";
      case 8 -> "it does not know addresses of this type";
      default -> "reply " + reply;
    };
  }

  private ProxyException refusal(String what) {
    return new ProxyException("The " + proxy + " " + what, null);
  }

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }
}
