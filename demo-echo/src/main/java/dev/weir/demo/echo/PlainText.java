package dev.weir.demo.echo;

import java.util.regex.Pattern;

/** Text of strangers, made fit for a terminal. */
final class PlainText {
  /**
   * What a terminal obeys, or takes for the end of a line; what turns the direction of writing, so
   * that one thing looks like another; and halves of characters.
   */
  private static final Pattern UNFIT =
      Pattern.compile(
          "[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cs}\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069]");

  private PlainText() {}

  /** {@return one line of text, in which a space stands for each tab and U+FFFD for the unfit} */
  static String of(String text) {
    return UNFIT.matcher(text.replace('\t', ' ')).replaceAll("\uFFFD");
  }
}
