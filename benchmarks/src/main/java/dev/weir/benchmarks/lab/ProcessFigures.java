package dev.weir.benchmarks.lab;

import com.sun.management.UnixOperatingSystemMXBean;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What this process holds; the parts that only the system knows are 0 where it has no {@code
 * /proc}.
 *
 * @param heap bytes that are left after a collection
 * @param direct bytes outside the heap, Netty's and the JDK's
 * @param resident bytes in memory
 * @param descriptors that are open
 */
record ProcessFigures(long heap, long direct, long resident, long descriptors) {
  private static final Path DESCRIPTORS = Path.of("/proc/self/fd");
  private static final Path STATUS = Path.of("/proc/self/status");

  /** Collects garbage, and looks. */
  static ProcessFigures now() {
    System.gc();
    long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    long direct =
        Math.max(0, PlatformDependent.usedDirectMemory()) // -1 where Netty does not count it.
            + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                .filter(pool -> pool.getName().equals("direct"))
                .mapToLong(BufferPoolMXBean::getMemoryUsed)
                .sum();
    return new ProcessFigures(heap, direct, residentBytes(), openDescriptors());
  }

  /** {@return what there is still of a loop that has ended, in words} */
  static String leftOver() {
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("weir-loop"))
            .count();
    return threads + " threads of loops left, " + openDescriptors() + " descriptors open";
  }

  /** {@return how many descriptors this process may have open} */
  static long descriptorsMax() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : Long.MAX_VALUE;
  }

  private static long residentBytes() {
    if (!Files.isReadable(STATUS)) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(STATUS)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long openDescriptors() {
    if (!Files.isDirectory(DESCRIPTORS)) {
      return 0;
    }
    try (Stream<Path> open = Files.list(DESCRIPTORS)) {
      return open.count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
