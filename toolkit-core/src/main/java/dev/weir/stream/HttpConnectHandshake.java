package dev.weir.stream;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.stream.ProxyServer.Credentials;
import java.io.IOException;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Asks an HTTP proxy (RFC 9110, section 9.3.6). */
record HttpConnectHandshake(ProxyServer proxy) implements ProxyHandshake {
  /** What proxies send is a few hundred bytes; without a bound one could keep us reading. */
  private static final int HEADER_BYTES_MAX = 8 * 1024;

  private static final byte[] NEWLINE = {'\n'};
  private static final int REASON_CHARS_MAX = 200;
  private static final int PROXY_AUTHENTICATION_REQUIRED = 407;
  private static final Pattern STATUS_LINE =
      Pattern.compile("HTTP/1\\.[0-9] ([0-9]{3})( .*)?", Pattern.DOTALL);

  @Override
  public void open(StreamReader reader, StreamWriter writer, ProxyTarget target)
      throws IOException {
    writer.write(request(target).getBytes(ISO_8859_1));
    Header header = new Header(reader);
    String statusLine;
    int status;
    do { // Interim answers come before the answer.
      statusLine = header.nextLine();
      status = status(statusLine);
      while (!header.nextLine().isEmpty()) {
        // A field: none concerns us. After a 2xx not even a length counts.
      }
    } while (status < 200);
    if (status == PROXY_AUTHENTICATION_REQUIRED) {
      throw refusal(
          (proxy.credentials() == null
                  ? "wants to know who asks, give it ProxyServer.withCredentials(): "
                  : "does not accept the user and password: ")
              + shown(statusLine));
    }
    if (status >= 300) {
      throw refusal("did not connect to " + target + ": " + shown(statusLine));
    }
  }

  private String request(ProxyTarget target) {
    StringBuilder request = new StringBuilder();
    request.append("CONNECT ").append(target).append(" HTTP/1.1\r\n");
    request.append("Host: ").append(target).append("\r\n");
    Credentials credentials = proxy.credentials();
    if (credentials != null) {
      request.append("Proxy-Authorization: Basic ").append(token(credentials)).append("\r\n");
    }
    return request.append("\r\n").toString();
  }

  private static String token(Credentials credentials) {
    String both = credentials.user() + ":" + credentials.password();
    return Base64.getEncoder().encodeToString(both.getBytes(UTF_8));
  }

  private int status(String line) throws ProxyException {
    Matcher matcher = STATUS_LINE.matcher(line);
    if (!matcher.matches()) {
      throw refusal("does not answer in HTTP: " + shown(line));
    }
    return Integer.parseInt(matcher.group(1));
  }

  /** {@return what the proxy wrote, fit for a log: short, of plain characters, without secrets} */
  private String shown(String line) {
    String shown = line;
    Credentials credentials = proxy.credentials();
    if (credentials != null) {
      shown = shown.replace(token(credentials), "***");
      String password = new String(credentials.password().getBytes(UTF_8), ISO_8859_1);
      if (!password.isEmpty()) {
        shown = shown.replace(password, "***");
      }
    }
    if (shown.length() > REASON_CHARS_MAX) {
      shown = shown.substring(0, REASON_CHARS_MAX) + "...";
    }
    return "'" + shown.replaceAll("[^ -~]", "?") + "'";
  }

  private ProxyException refusal(String what) {
    return new ProxyException("The " + proxy + " " + what, null);
  }

  /** The answer's lines, counted together. What follows them stays in the stream. */
  private final class Header {
    private final StreamReader reader;
    private int bytesLeft = HEADER_BYTES_MAX;

    Header(StreamReader reader) {
      this.reader = reader;
    }

    /** {@return the next line, without its end} */
    String nextLine() throws IOException {
      byte[] line;
      try {
        line = reader.readUntil(Math.max(0, bytesLeft - 1), NEWLINE);
      } catch (LimitOverrunException e) {
        throw tooLong();
      }
      bytesLeft -= line.length;
      if (bytesLeft < 0) {
        throw tooLong(); // An empty line fits any limit.
      }
      int length = line.length - NEWLINE.length;
      if (length > 0 && line[length - 1] == '\r') {
        length--;
      }
      return new String(line, 0, length, ISO_8859_1);
    }

    private ProxyException tooLong() {
      return refusal("answers with a header of more than " + HEADER_BYTES_MAX + " bytes");
    }
  }
}
