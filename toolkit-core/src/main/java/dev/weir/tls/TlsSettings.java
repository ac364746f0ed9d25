package dev.weir.tls;

import java.time.Duration;
import java.util.List;
import java.util.Set;

/** What both sides can be told. Immutable: each {@code with} returns a copy. */
final class TlsSettings {
  static final TlsSettings DEFAULTS = new TlsSettings();

  private static final Set<String> PROTOCOLS = Set.of("TLSv1.3", "TLSv1.2");

  /** By ALPN a name's length is one byte. */
  private static final int APPLICATION_PROTOCOL_CHARS_MAX = 255;

  // Set by the withers before anybody sees the copy, and never again.

  private TlsProvider provider = TlsProvider.AUTO;
  private List<String> protocols = List.of("TLSv1.3", "TLSv1.2");
  private List<String> cipherSuites =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  private List<String> applicationProtocols = List.of();
  private boolean applicationProtocolRequired;
  private Duration handshakeTimeout = Duration.ofSeconds(10);
  private Duration shutdownTimeout = Duration.ofSeconds(30);
  private boolean truncationAllowed;

  private TlsSettings() {}

  private TlsSettings(TlsSettings copied) {
    provider = copied.provider;
    protocols = copied.protocols;
    cipherSuites = copied.cipherSuites;
    applicationProtocols = copied.applicationProtocols;
    applicationProtocolRequired = copied.applicationProtocolRequired;
    handshakeTimeout = copied.handshakeTimeout;
    shutdownTimeout = copied.shutdownTimeout;
    truncationAllowed = copied.truncationAllowed;
  }

  TlsProvider provider() {
    return provider;
  }

  TlsSettings withProvider(TlsProvider provider) {
    TlsSettings copy = new TlsSettings(this);
    copy.provider = provider;
    return copy;
  }

  List<String> protocols() {
    return protocols;
  }

  TlsSettings withProtocols(String... protocols) {
    List<String> wanted = List.of(protocols);
    if (wanted.isEmpty() || !PROTOCOLS.containsAll(wanted)) {
      throw new IllegalArgumentException(
          "protocols are not TLSv1.3, TLSv1.2 or both: " + wanted + "; older ones are broken");
    }
    TlsSettings copy = new TlsSettings(this);
    copy.protocols = wanted;
    return copy;
  }

  List<String> cipherSuites() {
    return cipherSuites;
  }

  TlsSettings withCipherSuites(String... cipherSuites) {
    if (cipherSuites.length == 0) {
      throw new IllegalArgumentException("no cipher suite: nothing could be encrypted");
    }
    TlsSettings copy = new TlsSettings(this);
    copy.cipherSuites = List.of(cipherSuites);
    return copy;
  }

  List<String> applicationProtocols() {
    return applicationProtocols;
  }

  TlsSettings withApplicationProtocols(String... applicationProtocols) {
    for (String protocol : applicationProtocols) {
      // Providers do not agree on the bytes of any other character.
      boolean prints = protocol.chars().allMatch(c -> c >= ' ' && c <= '~');
      if (protocol.isEmpty() || protocol.length() > APPLICATION_PROTOCOL_CHARS_MAX || !prints) {
        throw new IllegalArgumentException(
            "an application protocol is not from 1 to 255 characters of ASCII that print: '"
                + protocol
                + "'");
      }
    }
    TlsSettings copy = new TlsSettings(this);
    copy.applicationProtocols = List.of(applicationProtocols);
    return copy;
  }

  boolean applicationProtocolRequired() {
    return applicationProtocolRequired;
  }

  TlsSettings withApplicationProtocolRequired(boolean applicationProtocolRequired) {
    TlsSettings copy = new TlsSettings(this);
    copy.applicationProtocolRequired = applicationProtocolRequired;
    return copy;
  }

  Duration handshakeTimeout() {
    return handshakeTimeout;
  }

  TlsSettings withHandshakeTimeout(Duration handshakeTimeout) {
    ensurePositive(handshakeTimeout, "handshakeTimeout");
    TlsSettings copy = new TlsSettings(this);
    copy.handshakeTimeout = handshakeTimeout;
    return copy;
  }

  Duration shutdownTimeout() {
    return shutdownTimeout;
  }

  TlsSettings withShutdownTimeout(Duration shutdownTimeout) {
    ensurePositive(shutdownTimeout, "shutdownTimeout");
    TlsSettings copy = new TlsSettings(this);
    copy.shutdownTimeout = shutdownTimeout;
    return copy;
  }

  boolean truncationAllowed() {
    return truncationAllowed;
  }

  TlsSettings withTruncationAllowed(boolean truncationAllowed) {
    TlsSettings copy = new TlsSettings(this);
    copy.truncationAllowed = truncationAllowed;
    return copy;
  }

  private static void ensurePositive(Duration duration, String name) {
    if (!duration.isPositive()) {
      throw new IllegalArgumentException(name + " is not positive: " + duration);
    }
  }

  @Override
  public String toString() {
    return provider
        + ", "
        + protocols
        + (applicationProtocols.isEmpty() ? "" : ", ALPN " + applicationProtocols)
        + (truncationAllowed ? ", truncation allowed" : "");
  }
}
