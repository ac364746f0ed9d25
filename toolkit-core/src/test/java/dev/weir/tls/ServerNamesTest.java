package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class ServerNamesTest {
  private static final TlsIdentity EXACT = Certificates.identity(Certificates.server("a"));
  private static final TlsIdentity WILDCARD = Certificates.identity(Certificates.server("b"));

  private static final ServerNames NAMES =
      ServerNames.NONE.with("www.example.org", EXACT).with("*.example.org", WILDCARD);

  @ParameterizedTest
  @ValueSource(strings = {"www.example.org", "WWW.Example.ORG", "www.example.org."})
  void anExactNameIsFoundInAnyCaseAndBeforeAWildcard(String name) {
    assertThat(NAMES.find(name)).isSameAs(EXACT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mail.example.org", "MAIL.example.org.", "w.example.org"})
  void aWildcardStandsForOneLabel(String name) {
    assertThat(NAMES.find(name)).isSameAs(WILDCARD);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "example.org",
        "a.b.example.org",
        "a.www.example.org",
        "example.com",
        ".example.org",
        "www.example.org..",
        "*.example.org",
        "*",
        "*.*",
        "",
        ".",
        "..",
        "127.0.0.1",
        "[::1]",
        "::1",
        "www.example.org\u0000",
        "www.example.org\n"
      })
  void whatIsNotNamedIsNotFound(String name) {
    assertThat(NAMES.find(name)).isNull();
  }

  /** In Turkish the small letter of I has no dot. */
  @Test
  void theMachinesLanguageMakesNoDifference() {
    assertThat(ServerNames.NONE.with("MAIL.example", EXACT).find("mail.EXAMPLE")).isSameAs(EXACT);
  }

  @Test
  void aNameThatIsNamedTwiceHasTheLast() {
    ServerNames names = NAMES.with("WWW.example.org.", WILDCARD);

    assertThat(names.all()).hasSize(2).containsEntry("www.example.org", WILDCARD);
    assertThat(NAMES.all()).containsEntry("www.example.org", EXACT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ".",
        "*",
        "*.",
        "**.example.org",
        "a.*.example.org",
        "w*.example.org",
        "127.0.0.1",
        "1",
        "*.0.0.1",
        "::1",
        "[::1]",
        "bücher.example",
        "a b.example",
        "a..example",
        ".example",
        "-a.example",
        "a-.example",
        "example.org:443",
        "https://example.org",
        "a\u0000.example",
        "a\n.example"
      })
  void whatIsNoHostNameIsRefused(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> NAMES.with(name, EXACT))
        .withMessage(
            "no host name: '%s'; clients ask for names such as example.org, which may stand here as"
                + " *.example.org, never for addresses, and for others than ASCII in the form"
                + " xn--...",
            name);
  }

  @Test
  void aNameThatIsTooLongIsRefused() {
    String label = "a".repeat(63);
    String longest = String.join(".", label, label, label, "a".repeat(61));

    assertThat(NAMES.with(longest, EXACT).find(longest)).isSameAs(EXACT);
    assertThatIllegalArgumentException().isThrownBy(() -> NAMES.with("a" + longest, EXACT));
    assertThatIllegalArgumentException().isThrownBy(() -> NAMES.with("a" + label, EXACT));
  }

  @Test
  void aNameNeedsAnIdentity() {
    assertThatNullPointerException()
        .isThrownBy(() -> NAMES.with("a.example", null))
        .withMessage("identity");
  }

  @Test
  void theNamesCannotBeChangedFromOutside() {
    Map<String, TlsIdentity> all = NAMES.all();

    assertThat(all.keySet()).containsExactly("www.example.org", "*.example.org");
    assertThat(all).isUnmodifiable();
    assertThat(NAMES).hasToString("ServerNames[www.example.org, *.example.org]");
  }

  /** Whoever asks for many names makes a server remember nothing. */
  @Test
  void lookingUpManyNamesLeavesNothingBehind() {
    Random random = new Random(1);
    int wildcards = 0;
    for (int i = 0; i < 100_000; i++) {
      String name = Long.toHexString(random.nextLong()) + (i % 2 == 0 ? ".example.org" : ".test");
      if (NAMES.find(name) != null) {
        wildcards++;
      }
    }

    assertThat(wildcards).isEqualTo(50_000);
    assertThat(NAMES.all()).hasSize(2);
  }
}
