package dev.weir.protocol;

/**
 * The water marks of a transport, in bytes.
 *
 * @param low as many buffered bytes, or fewer, let the protocol resume writing
 * @param high more buffered bytes pause it
 */
public record WriteBufferLimits(int low, int high) {}
