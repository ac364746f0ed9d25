package dev.weir.pipe;

import java.io.IOException;
import java.nio.channels.Channel;

/**
 * Opens what a pipe's thread reads or writes, on that thread, because it may block.
 *
 * @param <C> the channel's type
 */
interface ChannelOpener<C extends Channel> {
  /** Opens it. */
  C open() throws IOException;

  /** Has an {@link #open} that blocks return soon; what it returns then is closed. On the loop. */
  default void cancel() {}

  /** Called last, on the same thread, when the channel is used no more. */
  default void ended() {}
}
