package dev.weir.pipe;

import java.net.SocketAddress;

/** What stands for the other end of a pipe, which has no address: the pipe's name. */
final class PipeAddress extends SocketAddress {
  private static final long serialVersionUID = 1;

  private final String name;

  PipeAddress(String name) {
    this.name = name;
  }

  @Override
  public String toString() {
    return name;
  }
}
