package dev.weir.benchmarks.lab;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a {@link LabServer} tells of itself, on one line. Of the heap, what is left after a
 * collection.
 *
 * @param open connections that are served now
 * @param most of them at once so far
 * @param served connections so far
 * @param reports what the loop's exception handler was told so far, in times
 * @param unread the most bytes that one of the handlers which looked found unread
 * @param written bytes written to peers that may not read them
 * @param heap bytes in use
 * @param direct bytes outside the heap, Netty's and the JDK's
 * @param resident bytes of the process in memory; 0 where the system does not tell
 * @param descriptors that are open; 0 where the system does not tell
 */
record Figures(
    long open,
    long most,
    long served,
    long reports,
    long unread,
    long written,
    long heap,
    long direct,
    long resident,
    long descriptors) {

  static Figures parse(String line) {
    Map<String, Long> values =
        Arrays.stream(line.split(" "))
            .map(value -> value.split("="))
            .collect(Collectors.toMap(value -> value[0], value -> Long.valueOf(value[1])));
    return new Figures(
        values.get("open"),
        values.get("most"),
        values.get("served"),
        values.get("reports"),
        values.get("unread"),
        values.get("written"),
        values.get("heap"),
        values.get("direct"),
        values.get("resident"),
        values.get("descriptors"));
  }

  /** {@return the line that {@link #parse} reads} */
  String line() {
    return "open="
        + open
        + " most="
        + most
        + " served="
        + served
        + " reports="
        + reports
        + " unread="
        + unread
        + " written="
        + written
        + " heap="
        + heap
        + " direct="
        + direct
        + " resident="
        + resident
        + " descriptors="
        + descriptors;
  }

  /** {@return what the connections hold: bytes on the heap and outside} */
  long held() {
    return heap + direct;
  }

  @Override
  public String toString() {
    return "open %,d (most %,d, served %,d), heap %s, direct %s, resident %s"
        .formatted(open, most, served, mib(heap), mib(direct), mib(resident));
  }

  static String mib(long bytes) {
    return "%.1f MiB".formatted(bytes / (1024.0 * 1024));
  }
}
