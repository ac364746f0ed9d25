package dev.weir.demo.echo;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class PlainTextTest {
  @ParameterizedTest
  @ValueSource(
      chars = {
        '\0', '\b', '\n', '\r', '\u001b', '\u007f', '\u0085', '\u009b', '\u200f', '\u2028',
        '\u202e', '\u2066', '\ud800'
      })
  void whatATerminalObeysIsReplaced(char unfit) {
    assertThat(PlainText.of("a" + unfit + "b")).isEqualTo("a\ufffdb");
  }

  @Test
  void everythingElseStays() {
    String text =
        "\u00c4rger, \u65e5\u672c, \u05e9\u05dc\u05d5\u05dd, \ud83d\udc69\u200d\ud83d\ude80"
            + " e\u0301";

    assertThat(PlainText.of(text)).isEqualTo(text);
  }

  @Test
  void aTabIsASpace() {
    assertThat(PlainText.of("a\tb")).isEqualTo("a b");
  }
}
