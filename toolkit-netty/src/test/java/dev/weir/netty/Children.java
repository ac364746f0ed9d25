package dev.weir.netty;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The child processes of this one. */
final class Children {
  private Children() {}

  static List<Long> pids() {
    return ProcessHandle.current().children().map(ProcessHandle::pid).toList();
  }

  /** {@return those that have ended and that nobody has reaped} */
  static List<Long> zombies() {
    return pids().stream().filter(Children::isZombie).toList();
  }

  private static boolean isZombie(long pid) {
    try {
      String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
      return stat.substring(stat.lastIndexOf(')') + 2).startsWith("Z");
    } catch (IOException e) {
      return false; // Reaped meanwhile.
    }
  }

  static boolean isAlive(long pid) {
    return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
  }
}
