/**
 * How connections are secured, as Python's {@code ssl} beside asyncio: {@link ClientTls} and {@link
 * ServerTls} are what {@code SSLContext} is there, {@link TlsIdentity} what {@code load_cert_chain}
 * loads, {@link TlsSession} what {@code get_extra_info} tells.
 *
 * <p>Without an option that says otherwise a client checks that the server's certificate is for the
 * host it connects to, and comes from an issuer that the system trusts; nothing below TLS 1.2 is
 * spoken, and no cipher without forward secrecy.
 */
@NullMarked
package dev.weir.tls;

import org.jspecify.annotations.NullMarked;
