package dev.weir.testing;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * One attempt to connect in the memory network, for a {@link LinkPolicy} to decide on.
 *
 * @param from who connects
 * @param to where to; of a Unix socket just its host, with port 0
 * @param path the Unix socket to which it goes, or null
 * @param number which attempt to connect there it is, from 1 on
 * @param random chance that follows from the seed
 */
public record ConnectAttempt(
    InetSocketAddress from,
    InetSocketAddress to,
    @Nullable Path path,
    int number,
    RandomGenerator random) {}
