package dev.weir.testing;

import java.net.InetSocketAddress;
import java.util.random.RandomGenerator;

/**
 * One attempt to connect in the memory network, for a {@link LinkPolicy} to decide on.
 *
 * @param from who connects
 * @param to where to
 * @param number which attempt to connect there it is, from 1 on
 * @param random chance that follows from the seed
 */
public record ConnectAttempt(
    InetSocketAddress from, InetSocketAddress to, int number, RandomGenerator random) {}
