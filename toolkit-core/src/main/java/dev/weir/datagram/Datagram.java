package dev.weir.datagram;

import dev.weir.stream.Addresses;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Objects;

/**
 * A datagram that was received.
 *
 * @param data its bytes, perhaps none; the receiver's own
 * @param sender who sent it, or who says so: whoever can send at all can forge this
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Compared by its bytes below; a copy for each would cost.
public record Datagram(byte[] data, InetSocketAddress sender) {
  /** Checks that nothing is missing. */
  public Datagram {
    Objects.requireNonNull(data, "data");
    Objects.requireNonNull(sender, "sender");
  }

  /** {@return whether the other has the same bytes and the same sender} */
  @Override
  public boolean equals(Object other) {
    return other instanceof Datagram datagram
        && sender.equals(datagram.sender)
        && Arrays.equals(data, datagram.data);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(data) + sender.hashCode();
  }

  @Override
  public String toString() {
    return "Datagram[" + data.length + " bytes from " + Addresses.format(sender) + "]";
  }
}
