package dev.weir.netty;

import dev.weir.spi.AddressUnavailableException;
import dev.weir.spi.ConnectRequest;
import dev.weir.spi.DatagramRequest;
import dev.weir.spi.UnixAddresses;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.socket.ChannelOutputShutdownException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.BindException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.PortUnreachableException;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnixDomainSocketAddress;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * From what Netty's transports throw, each in its own way, to the JDK's exceptions with one text
 * for all of them.
 */
final class NettyErrors {
  private NettyErrors() {}

  static IOException ofConnect(Throwable cause, ConnectRequest request) {
    if (request.local() instanceof InetSocketAddress local
        && (says(cause, "in use") || says(cause, "cannot assign"))) {
      return ofBind(cause, local);
    }
    return ofConnect(cause, request.remote(), request.timeout());
  }

  static IOException ofConnect(Throwable cause, SocketAddress remote, Duration timeout) {
    String where = format(remote);
    if (cause instanceof ConnectTimeoutException) {
      return withCause(
          new SocketTimeoutException("No answer from " + where + " within " + inSeconds(timeout)),
          cause);
    }
    if (remote instanceof UnixDomainSocketAddress) {
      if (cause instanceof FileNotFoundException || says(cause, "no such file")) {
        return withCause(new ConnectException("No such socket: " + where), cause);
      }
      if (says(cause, "permission denied")) {
        return withCause(new ConnectException("Permission denied: " + where), cause);
      }
      if (says(cause, UnixSockets.QUEUE_IS_FULL)) {
        return withCause(
            new SocketTimeoutException(
                "The queue of " + where + " was full for " + inSeconds(timeout)),
            cause);
      }
    }
    if (says(cause, "reset")) {
      return withCause(new ConnectException("Connection reset by " + where), cause);
    }
    if (says(cause, "refused")) {
      return withCause(new ConnectException("Connection refused: " + where), cause);
    }
    if (cause instanceof NoRouteToHostException || says(cause, "unreachable")) {
      return withCause(new NoRouteToHostException("Network is unreachable: " + where), cause);
    }
    return new IOException("Cannot connect to " + where + ": " + cause.getMessage(), cause);
  }

  static IOException ofBind(Throwable cause, SocketAddress local) {
    String where = format(local);
    if (says(cause, "in use")) {
      return withCause(new BindException("Address already in use: " + where), cause);
    }
    if (says(cause, "cannot assign")) {
      return new AddressUnavailableException("Not an address of this machine: " + where, cause);
    }
    if (says(cause, "family not supported")) {
      return new AddressUnavailableException(
          "This machine has no addresses of this family: " + where, cause);
    }
    if (says(cause, "permission")) {
      return withCause(new BindException("Permission denied: " + where), cause);
    }
    return new IOException("Cannot listen on " + where + ": " + cause.getMessage(), cause);
  }

  /** {@return why a datagram socket cannot be opened} */
  static IOException ofOpening(Throwable cause, DatagramRequest request) {
    InetSocketAddress remote = request.remote();
    InetSocketAddress local = request.local();
    boolean ofLocal = says(cause, "in use") || says(cause, "cannot assign");
    return remote != null && !(ofLocal && local != null)
        ? ofConnect(cause, remote, Duration.ZERO)
        : ofBind(cause, local == null ? new InetSocketAddress(0) : local);
  }

  /**
   * {@return why a datagram was not sent, or did not arrive}
   *
   * @param to where it was to go; null if that is not known
   */
  static IOException ofDatagram(Throwable cause, @Nullable InetSocketAddress to) {
    String where = to == null ? "an unknown address" : format(to);
    if (cause instanceof PortUnreachableException || says(cause, "refused")) {
      return withCause(
          new PortUnreachableException("Port unreachable: nobody receives at " + where), cause);
    }
    if (says(cause, "permission denied")) {
      return withCause(
          new SocketException(
              "Permission denied: " + where + ": ask for broadcast in the options to send there"),
          cause);
    }
    if (says(cause, "too long")) {
      return withCause(
          new SocketException("The datagram is too long for the way to " + where), cause);
    }
    if (says(cause, "unreachable")) {
      return withCause(new NoRouteToHostException("Network is unreachable: " + where), cause);
    }
    return withCause(
        new SocketException("A datagram failed, to " + where + ": " + cause.getMessage()), cause);
  }

  static IOException ofConnection(Throwable reported) {
    Throwable cause = unwrapped(reported);
    if (says(cause, "reset")) {
      return new IOException("Connection reset by peer", cause);
    }
    if (says(cause, "broken pipe")) {
      return new IOException("Broken pipe: the peer has closed the connection", cause);
    }
    if (says(cause, "timed out")) {
      return new SocketTimeoutException("The peer does not answer any more");
    }
    return new IOException("Connection lost: " + cause.getMessage(), cause);
  }

  /**
   * {@return whether a write failed because the peer went away, so that what it sent before ends
   * soon}
   */
  static boolean peerIsGone(Throwable cause) {
    Throwable bare = unwrapped(cause);
    return bare instanceof IOException
        && (says(bare, "reset") || says(bare, "broken pipe") || says(bare, "timed out"));
  }

  /**
   * {@return what the transport met, where Netty reports only the shutdown that follows from it}
   */
  private static Throwable unwrapped(Throwable cause) {
    Throwable inner = cause.getCause();
    return cause instanceof ChannelOutputShutdownException && inner != null ? inner : cause;
  }

  static String format(SocketAddress any) {
    if (!(any instanceof InetSocketAddress address)) {
      return UnixAddresses.describe(any);
    }
    String host = address.getAddress().getHostAddress();
    return (host.contains(":") ? "[" + host + "]" : host) + ":" + address.getPort();
  }

  static boolean says(Throwable cause, String words) {
    String message = cause.getMessage();
    return message != null && message.toLowerCase(Locale.ROOT).contains(words);
  }

  static String inSeconds(Duration timeout) {
    return timeout.toMillis() / 1000.0 + " s";
  }

  private static <X extends Throwable> X withCause(X exception, Throwable cause) {
    exception.initCause(cause);
    return exception;
  }
}
