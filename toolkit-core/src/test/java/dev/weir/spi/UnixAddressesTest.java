package dev.weir.spi;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.net.UnixDomainSocketAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How addresses get into messages and logs, where a client may have chosen its name. */
class UnixAddressesTest {
  private static String describe(String path) {
    return UnixAddresses.describe(UnixDomainSocketAddress.of(path));
  }

  @Test
  void aSocketWithoutANameIsSaidToHaveNone() {
    assertThat(describe("")).isEqualTo("unnamed Unix socket");
  }

  @Test
  void anAddressThatIsNoPathIsItself() {
    InetSocketAddress address = new InetSocketAddress(1);

    assertThat(UnixAddresses.describe(address)).isEqualTo(address.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"/run/a.sock", "@name", "./@name", "with a blank", "back\\slash", "größe"})
  void anOrdinaryNameStaysAsItIs(String path) {
    assertThat(describe(path)).isEqualTo(path);
  }

  /** A line break forges a line of a log, an escape or a direction mark what a terminal shows. */
  @ParameterizedTest
  @CsvSource({"000a", "000d", "0001", "001b", "007f", "0085", "009b", "2028", "2029", "202e"})
  void aCharacterThatIsNotToBeSeenIsEscaped(String code) {
    char invisible = (char) Integer.parseInt(code, 16);

    assertThat(describe("@evil" + invisible + "SEVERE: forged"))
        .isEqualTo("@evil\\u" + code + "SEVERE: forged");
  }
}
