package dev.weir.stream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What the system calls its TCP ports; the JDK does not tell. */
final class ServiceNames {
  private static final Path FILE = Path.of("/etc/services");

  private ServiceNames() {}

  /** {@return the name of a port, or the port in digits if it has none} Blocks. */
  static String of(int port) {
    return of(port, FILE);
  }

  static String of(int port, Path file) {
    String wanted = port + "/tcp";
    try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
      return lines
          .map(line -> line.split("#", 2)[0].strip().split("\\s+"))
          .filter(fields -> fields.length > 1 && fields[1].equals(wanted))
          .map(fields -> fields[0])
          .findFirst()
          .orElse(Integer.toString(port));
    } catch (IOException e) {
      return Integer.toString(port); // Not every system has that file.
    }
  }
}
