package dev.weir.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.security.auth.x500.X500Principal;

/**
 * What a message tells of a certificate. It came from a peer as a rule: it is cut, and what does
 * not print is escaped, so that it cannot fill a log or write lines of its own into it.
 */
final class CertificateWords {
  private static final int NAMES_SHOWN_MAX = 8;
  private static final int CHARS_MAX = 120;
  private static final Integer DNS_NAME = 2;
  private static final Integer IP_ADDRESS = 7;

  private CertificateWords() {}

  static String subject(X509Certificate certificate) {
    return of(certificate.getSubjectX500Principal());
  }

  static String issuer(X509Certificate certificate) {
    return of(certificate.getIssuerX500Principal());
  }

  private static String of(X500Principal who) {
    String name = printable(who.getName());
    return name.isEmpty() ? "nobody in particular" : name;
  }

  /**
   * {@return the names and addresses it is for, as a list in words; its subject if it has none: the
   * JDK takes a common name for a host's then}
   */
  static String names(X509Certificate certificate) {
    List<String> names = new ArrayList<>();
    int left = 0;
    for (List<?> name : alternativeNames(certificate)) {
      if (DNS_NAME.equals(name.getFirst()) || IP_ADDRESS.equals(name.getFirst())) {
        if (names.size() < NAMES_SHOWN_MAX) {
          names.add(printable(String.valueOf(name.get(1))));
        } else {
          left++;
        }
      }
    }
    if (names.isEmpty()) {
      return subject(certificate);
    }
    return left == 0 ? inWords(names) : String.join(", ", names) + " and " + left + " more";
  }

  private static Collection<List<?>> alternativeNames(X509Certificate certificate) {
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      return names == null ? List.of() : names;
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  private static String inWords(List<String> names) {
    int last = names.size() - 1;
    return last == 0
        ? names.getFirst()
        : String.join(", ", names.subList(0, last)) + " and " + names.get(last);
  }

  static String printable(String text) {
    StringBuilder printable = new StringBuilder();
    int end = Math.min(text.length(), CHARS_MAX);
    for (int i = 0; i < end; i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 127) {
        printable.append(c);
      } else {
        printable.append(String.format("\\u%04x", (int) c));
      }
    }
    return end < text.length() ? printable.append("...").toString() : printable.toString();
  }
}
