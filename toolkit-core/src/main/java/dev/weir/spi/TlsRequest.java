package dev.weir.spi;

import dev.weir.tls.TlsOptions;
import org.jspecify.annotations.Nullable;

/**
 * A connection that is to be secured.
 *
 * @param options how; of which side they are is the side that this end takes
 * @param serverName with whom a client means to talk, for the check of the certificate and for the
 *     server's choice of one: a host name or a literal address; null if there is no name, and on a
 *     server
 * @param received what had arrived before: the peer may have begun already. It is ciphertext or
 *     nothing, whatever it looks like
 */
@SuppressWarnings("ArrayRecordComponent") // Handed over, never compared.
public record TlsRequest(TlsOptions options, @Nullable String serverName, byte[] received) {}
