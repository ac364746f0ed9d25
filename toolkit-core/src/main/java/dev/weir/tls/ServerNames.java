package dev.weir.tls;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which certificate is for which name. Finding one is a look or two into a map of what the user has
 * named: nothing is remembered of what peers ask for, so any number of names costs nothing.
 */
final class ServerNames {
  static final ServerNames NONE = new ServerNames(Map.of());

  private static final Pattern NAME =
      Pattern.compile(
          "(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
              + "(\\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*");

  private static final Pattern DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");
  private static final String WILDCARD = "*.";

  private final Map<String, TlsIdentity> identities;

  private ServerNames(Map<String, TlsIdentity> identities) {
    this.identities = identities;
  }

  Map<String, TlsIdentity> all() {
    return identities;
  }

  ServerNames with(String name, TlsIdentity identity) {
    Objects.requireNonNull(identity, "identity");
    Map<String, TlsIdentity> more = new LinkedHashMap<>(identities);
    more.put(checked(name), identity);
    return new ServerNames(Collections.unmodifiableMap(more));
  }

  private static String checked(String name) {
    String normalized = normalized(name);
    String host =
        normalized.startsWith(WILDCARD) ? normalized.substring(WILDCARD.length()) : normalized;
    if (!NAME.matcher(host).matches() || DIGITS_AND_DOTS.matcher(host).matches()) {
      throw new IllegalArgumentException(
          "no host name: '"
              + name
              + "'; clients ask for names such as example.org, which may stand here as"
              + " *.example.org, never for addresses, and for others than ASCII in the form"
              + " xn--...");
    }
    return normalized;
  }

  /** {@return the certificate for a name, or null} */
  @Nullable TlsIdentity find(String name) {
    if (identities.isEmpty()) {
      return null;
    }
    String normalized = normalized(name);
    TlsIdentity exact = identities.get(normalized);
    int dot = normalized.indexOf('.');
    // A name that begins with a star is no name; as a key it would find the wildcard itself.
    if (normalized.startsWith("*")) {
      return null;
    }
    return exact != null || dot <= 0 ? exact : identities.get("*" + normalized.substring(dot));
  }

  private static String normalized(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  @Override
  public String toString() {
    return "ServerNames" + identities.keySet();
  }
}
