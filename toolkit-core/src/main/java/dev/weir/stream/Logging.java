package dev.weir.stream;

/**
 * Where streams log. Made with the first message, so that a program that logs nothing never sets
 * logging up.
 */
final class Logging {
  static final System.Logger LOGGER = System.getLogger("dev.weir.stream");

  private Logging() {}
}
