package dev.weir.spi;

/** Bytes on their way to a transport without anybody's help. Called on the loop. */
public interface Forwarding {
  /** {@return how many bytes were handed on so far, also after it has ended} */
  long bytesHandedOn();

  /** Ends it: no more bytes are handed on. Without effect after its end. */
  void stop();
}
