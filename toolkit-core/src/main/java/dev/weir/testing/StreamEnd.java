package dev.weir.testing;

import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import java.util.Objects;

/**
 * One end of a connection: its two streams, as a server's handler gets them.
 *
 * @param reader reads what the other end writes
 * @param writer writes what the other end reads
 */
public record StreamEnd(StreamReader reader, StreamWriter writer) {
  /** Checks that both streams are there. */
  public StreamEnd {
    Objects.requireNonNull(reader, "reader");
    Objects.requireNonNull(writer, "writer");
  }
}
