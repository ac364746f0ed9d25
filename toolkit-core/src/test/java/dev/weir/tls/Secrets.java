package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** That what may be logged of a failure holds no part of a key, in any form it could have. */
final class Secrets {
  /** So many characters of Base64, which are six bytes, appear nowhere by chance. */
  private static final int PART_CHARS = 8;

  private Secrets() {}

  /**
   * @param pem the key's file; its lines between BEGIN and END are the secret
   */
  static void assertShowsNothingOf(String pem, Throwable failure) {
    String shown = all(failure);
    List<String> parts = parts(pem);
    assertThat(parts).isNotEmpty();
    assertThat(shown).doesNotContainIgnoringCase(parts.toArray(String[]::new));
  }

  /** {@return the failure with its causes, as a log has it} */
  static String all(Throwable failure) {
    StringWriter shown = new StringWriter();
    failure.printStackTrace(new PrintWriter(shown));
    return shown.toString();
  }

  private static List<String> parts(String pem) {
    List<String> parts = new ArrayList<>();
    String text = pem.replaceAll("(?m)^(-----.*|[A-Za-z-]+:.*)$|\\s", "");
    for (int at = 0; at + PART_CHARS <= text.length(); at += PART_CHARS) {
      String part = text.substring(at, at + PART_CHARS);
      byte[] bytes = Base64.getDecoder().decode(part.replace('=', 'A'));
      parts.add(part);
      parts.add(HexFormat.of().formatHex(bytes));
      parts.add(HexFormat.ofDelimiter(" ").formatHex(bytes));
      parts.add(HexFormat.ofDelimiter(":").formatHex(bytes));
    }
    return parts;
  }
}
