package dev.weir.stream;

import java.util.Objects;

/**
 * The names of an address.
 *
 * @param host the name of its host; if it has none, its address in digits
 * @param service the name of its port, {@code http} say; if it has none, the port in digits
 */
public record NameInfo(String host, String service) {
  /** Checks that both are there. */
  public NameInfo {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(service, "service");
  }
}
