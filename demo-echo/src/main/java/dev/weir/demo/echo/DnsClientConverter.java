package dev.weir.demo.echo;

import picocli.CommandLine.ITypeConverter;

/** Reads which DNS server to ask: {@code HOST} or {@code HOST:PORT}. */
final class DnsClientConverter implements ITypeConverter<DnsClient> {
  private static final int DNS_PORT = 53;

  @Override
  public DnsClient convert(String value) {
    int colon = value.endsWith("]") ? -1 : value.lastIndexOf(':');
    return new DnsClient(
        new HostConverter().convert(colon < 0 ? value : value.substring(0, colon)),
        colon < 0 ? DNS_PORT : new PortConverter().convert(value.substring(colon + 1)));
  }
}
