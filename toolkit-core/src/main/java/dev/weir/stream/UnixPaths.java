package dev.weir.stream;

import dev.weir.spi.UnixAddresses;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** From the paths that a user writes to addresses of Unix sockets. */
final class UnixPaths {
  private UnixPaths() {}

  /**
   * {@return the address}
   *
   * @throws IllegalArgumentException if it is empty, or a path of some other file system
   */
  static UnixDomainSocketAddress address(Path path) {
    if (path.toString().isEmpty()) {
      throw new IllegalArgumentException(
          "path is empty: write that of a socket, such as /run/echo.sock, or a name like @echo");
    }
    return UnixDomainSocketAddress.of(path);
  }

  /**
   * {@return what is wrong with the length of a path, or null}
   *
   * @param bytesReserved how many bytes it must leave for something else
   */
  static @Nullable String tooLong(Path path, int bytesReserved) {
    int bytes = path.toString().getBytes(StandardCharsets.UTF_8).length;
    int bytesMax = UnixAddresses.PATH_BYTES_MAX - bytesReserved;
    if (bytes <= bytesMax) {
      return null;
    }
    return "Path too long for a Unix socket, "
        + bytes
        + " bytes where at most "
        + bytesMax
        + " are possible: "
        + path
        + "; choose a shorter one, or one relative to the working directory";
  }
}
