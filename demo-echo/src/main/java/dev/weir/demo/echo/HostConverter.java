package dev.weir.demo.echo;

import java.net.InetAddress;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads a host: a name, which is looked up later, or an address, which may stand in brackets. What
 * can only be a mistyped address is refused here, where a look-up would say that there is no such
 * name.
 */
final class HostConverter implements ITypeConverter<String> {
  private static final Pattern DIGITS_AND_DOTS = Pattern.compile("[0-9.]+");

  @Override
  public String convert(String value) {
    if (value.isBlank()) {
      throw new TypeConversionException(
          "it is empty; write 0.0.0.0 or :: for all addresses of this machine");
    }
    boolean bracketed = value.startsWith("[") && value.endsWith("]");
    String host = bracketed ? value.substring(1, value.length() - 1) : value;
    if (bracketed || host.contains(":") || DIGITS_AND_DOTS.matcher(host).matches()) {
      ensureAddress(host, value);
    }
    return host;
  }

  private static void ensureAddress(String host, String value) {
    try {
      var _ = InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException("'" + value + "' is not an IPv4 or IPv6 address");
    }
  }
}
