package dev.weir.netty;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

/** How much memory this process uses, for tests that ask what a connection costs. */
final class UsedMemory {
  private UsedMemory() {}

  /** {@return the bytes that are live on the heap, and those of direct buffers} */
  static long bytes() {
    System.gc();
    long direct =
        ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
    return direct + Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }
}
