package dev.weir.netty;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** How many files and sockets this process has open, where the kernel tells. */
final class Descriptors {
  private static final Path OPEN = Path.of("/proc/self/fd");

  private Descriptors() {}

  /** {@return how many there may be, 0 where the JVM does not tell} */
  static long max() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : 0;
  }

  /** {@return the number of open descriptors, always 0 on a system without /proc} */
  static long open() {
    if (!Files.isDirectory(OPEN)) {
      return 0;
    }
    try (Stream<Path> open = Files.list(OPEN)) {
      return open.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
