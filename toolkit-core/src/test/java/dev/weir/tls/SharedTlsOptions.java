package dev.weir.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** What holds for the options of either side. */
final class SharedTlsOptions {
  /** What is said at the beginning, or by a wither that changes more than one option. */
  private static final Set<String> WITHOUT_WITHER =
      Set.of("certificateChecked", "context", "identity");

  private SharedTlsOptions() {}

  static void assertDefaults(TlsOptions options) {
    assertThat(options.provider()).isEqualTo(TlsProvider.AUTO);
    assertThat(options.protocols()).containsExactly("TLSv1.3", "TLSv1.2");
    assertThat(options.cipherSuites())
        .isNotEmpty()
        .allMatch(suite -> suite.contains("_GCM_") || suite.contains("_CHACHA20_"))
        .allMatch(suite -> !suite.contains("_WITH_") || suite.startsWith("TLS_ECDHE_"));
    assertThat(options.applicationProtocols()).isEmpty();
    assertThat(options.applicationProtocolRequired()).isFalse();
    assertThat(options.handshakeTimeout()).isEqualTo(Duration.ofSeconds(10));
    assertThat(options.shutdownTimeout()).isEqualTo(Duration.ofSeconds(30));
    assertThat(options.truncationAllowed()).isFalse();
    assertThat(options.context()).isNull();
  }

  static <T extends TlsOptions> void assertWithersChangeOneOption(
      T defaults, Map<String, UnaryOperator<T>> withers) throws ReflectiveOperationException {
    Map<String, Object> before = values(defaults);
    Set<String> untold = new TreeSet<>(before.keySet());
    untold.removeAll(withers.keySet());
    assertThat(WITHOUT_WITHER).as("options that no wither here sets").containsAll(untold);

    for (Map.Entry<String, UnaryOperator<T>> wither : withers.entrySet()) {
      Map<String, Object> after = values(wither.getValue().apply(defaults));

      assertThat(after.remove(wither.getKey()))
          .as(wither.getKey())
          .isNotEqualTo(before.get(wither.getKey()));
      Map<String, Object> rest = new TreeMap<>(before);
      rest.remove(wither.getKey());
      assertThat(after).as("all but %s", wither.getKey()).isEqualTo(rest);
    }
    assertThat(values(defaults)).isEqualTo(before);
  }

  static <T extends TlsOptions> void assertWithersKeepTheRest(
      T defaults, Map<String, UnaryOperator<T>> withers) throws ReflectiveOperationException {
    T all = defaults;
    for (UnaryOperator<T> wither : withers.values()) {
      all = wither.apply(all);
    }
    Map<String, Object> before = values(all);
    for (Map.Entry<String, UnaryOperator<T>> wither : withers.entrySet()) {
      Map<String, Object> after = values(wither.getValue().apply(all));

      // Made anew for the same certificates.
      after.remove("trustManager");
      Map<String, Object> same = new TreeMap<>(before);
      Object manager = same.remove("trustManager");
      assertThat(after).as("again %s", wither.getKey()).isEqualTo(same);
      assertThat(manager).isNotNull();
    }
    Map<String, Object> unset = values(defaults);
    for (String option : withers.keySet()) {
      assertThat(before.get(option)).as(option).isNotEqualTo(unset.get(option));
    }
  }

  /** {@return what each accessor says} */
  private static Map<String, Object> values(TlsOptions options)
      throws ReflectiveOperationException {
    Map<String, Object> values = new TreeMap<>();
    for (Method method : accessors(options)) {
      Object value = method.invoke(options);
      values.put(method.getName(), value == null ? "null" : value);
    }
    return values;
  }

  private static List<Method> accessors(TlsOptions options) {
    return Arrays.stream(options.getClass().getMethods())
        .filter(method -> method.getDeclaringClass() == options.getClass())
        .filter(method -> method.getParameterCount() == 0)
        .filter(method -> !method.getName().matches("with.*|toString|defaults"))
        .toList();
  }

  static void assertRefusesWrongValues(
      Function<String[], ?> withProtocols,
      Function<String[], ?> withCipherSuites,
      Function<String[], ?> withApplicationProtocols,
      Function<Duration, ?> withHandshakeTimeout,
      Function<Duration, ?> withShutdownTimeout) {
    String[] none = {};
    assertThatIllegalArgumentException()
        .isThrownBy(() -> withProtocols.apply(none))
        .withMessage("protocols are not TLSv1.3, TLSv1.2 or both: []; older ones are broken");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> withCipherSuites.apply(none))
        .withMessage("no cipher suite: nothing could be encrypted");
    for (String wrong : List.of("", "x".repeat(256), "größe", "a\nb")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> withApplicationProtocols.apply(new String[] {"h2", wrong}))
          .withMessage(
              "an application protocol is not from 1 to 255 characters of ASCII that print: '%s'",
              wrong);
    }
    var _ = withApplicationProtocols.apply(new String[] {"x".repeat(255)});
    for (Duration wrong : List.of(Duration.ZERO, Duration.ofNanos(-1))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> withHandshakeTimeout.apply(wrong))
          .withMessage("handshakeTimeout is not positive: " + wrong);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> withShutdownTimeout.apply(wrong))
          .withMessage("shutdownTimeout is not positive: " + wrong);
    }
    assertThatNullPointerException().isThrownBy(() -> withCipherSuites.apply(new String[] {null}));
  }
}
