package dev.weir.benchmarks;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The versions of the libraries that were built in. */
final class Versions {
  private static final Properties VERSIONS = load();

  private Versions() {}

  private static Properties load() {
    try (InputStream in = Versions.class.getResourceAsStream("versions.properties")) {
      Properties versions = new Properties();
      versions.load(in);
      return versions;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@return for instance "Netty 4.2.18.Final"} */
  static String netty() {
    return "Netty " + VERSIONS.getProperty("netty");
  }

  /** {@return for instance "Vert.x 5.2.3"} */
  static String vertx() {
    return "Vert.x " + VERSIONS.getProperty("vertx");
  }

  /** {@return for instance "Reactor Netty 1.3.8"} */
  static String reactorNetty() {
    return "Reactor Netty " + VERSIONS.getProperty("reactor-netty");
  }
}
