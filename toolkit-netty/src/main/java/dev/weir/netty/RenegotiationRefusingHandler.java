package dev.weir.netty;

import dev.weir.tls.TlsException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.SslHandler;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;

/**
 * Ends a connection whose peer wants to shake hands again, as TLS 1.2 lets it, any number of times:
 * that costs us far more than the peer. The JDK's engine refuses it by a system property only,
 * which would be the whole process's; BoringSSL refuses by itself, and TLS 1.3 has no such thing.
 */
final class RenegotiationRefusingHandler extends SslHandler {
  /** The type of a record that is part of a handshake. In TLS 1.2 it is not encrypted. */
  private static final int HANDSHAKE_RECORD = 22;

  private boolean handshakeDone;
  private boolean refuses;

  RenegotiationRefusingHandler(SSLEngine engine) {
    super(engine);
  }

  /** Called once for each record, at its beginning. */
  @Override
  protected void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out)
      throws SSLException {
    if (!handshakeDone && handshakeFuture().isSuccess()) {
      handshakeDone = true;
      refuses = !engine().getSession().getProtocol().equals("TLSv1.3");
    }
    if (refuses && in.isReadable() && in.getUnsignedByte(in.readerIndex()) == HANDSHAKE_RECORD) {
      in.skipBytes(in.readableBytes());
      closeOutbound(); // An alert tells the peer.
      throw new TlsException("The peer asked for another handshake (renegotiation): refused");
    }
    super.decode(context, in, out);
  }
}
