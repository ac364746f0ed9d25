package dev.weir.netty;

import dev.weir.tls.CertificateRejectedException;
import dev.weir.tls.TlsException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.ssl.NotSslRecordException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** From what the engines throw, each in its own words, to one text for both. */
final class TlsErrors {
  /** How the JDK's engine and BoringSSL tell of an alert that the peer sent. */
  private static final Pattern ALERT =
      Pattern.compile("Received fatal alert: (\\w+)|(?:SSLV3|TLSV1)_ALERT_(\\w+)");

  private TlsErrors() {}

  /** {@return why a handshake failed} */
  static IOException ofHandshake(Throwable reported) {
    Throwable cause = unwrapped(reported);
    if (cause instanceof ClosedChannelException) {
      return new TlsException("The connection was closed during the TLS handshake", null);
    }
    CertificateException refusal = refusalOfCertificate(cause);
    if (refusal != null) {
      return new CertificateRejectedException(String.valueOf(refusal.getMessage()), refusal);
    }
    return ofConnection(cause);
  }

  /** {@return why a secured connection failed} */
  static IOException ofConnection(Throwable reported) {
    Throwable cause = unwrapped(reported);
    if (cause instanceof TlsException known) {
      return known;
    }
    if (cause instanceof NotSslRecordException) {
      // Without the cause, whose message has what the peer sent.
      return new TlsException("The peer does not speak TLS: what it sent is no record of it", null);
    }
    if (cause instanceof TooLongFrameException) {
      return new TlsException("The peer's first message is too long: " + cause.getMessage(), cause);
    }
    if (cause instanceof SSLException) {
      return ofEngine(cause);
    }
    return NettyErrors.ofConnection(cause);
  }

  private static TlsException ofEngine(Throwable cause) {
    String message = String.valueOf(cause.getMessage());
    Matcher alert = ALERT.matcher(message);
    if (alert.find()) {
      String name = alert.group(1) != null ? alert.group(1) : alert.group(2);
      return new TlsException(
          "The peer refused: it sent the alert " + name.toLowerCase(Locale.ROOT), cause);
    }
    Throwable inner = cause.getCause();
    return new TlsException(
        "TLS failed: " + (inner instanceof SSLException ? inner.getMessage() : message), cause);
  }

  private static @Nullable CertificateException refusalOfCertificate(Throwable failure) {
    Throwable cause = failure;
    // Bounded: a chain of causes may be a circle.
    for (int depth = 0; cause != null && depth < 16; depth++) {
      if (cause instanceof CertificateException refusal) {
        return refusal;
      }
      cause = cause.getCause();
    }
    return null;
  }

  /** {@return whether this is the doing of a TLS engine or its handler, and so of the peer} */
  static boolean isTls(Throwable reported) {
    return reported instanceof DecoderException || unwrapped(reported) instanceof SSLException;
  }

  /** {@return whether it is what an engine says, and not a handler behind it} */
  static boolean isOfEngine(Throwable reported) {
    return reported instanceof NotSslRecordException || unwrapped(reported) instanceof SSLException;
  }

  private static Throwable unwrapped(Throwable reported) {
    Throwable cause = reported.getCause();
    return reported instanceof DecoderException
            && cause != null
            && !(reported instanceof NotSslRecordException)
        ? cause
        : reported;
  }
}
