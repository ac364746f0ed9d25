package dev.weir.netty;

import dev.weir.spi.Forwarding;
import io.netty.channel.DefaultFileRegion;
import java.nio.channels.FileChannel;

/**
 * A part of a file for the kernel to send. It is not closed when it was sent. Stopped, it ends
 * where it is: the channel takes it for sent when it next comes to it, and touches the file no
 * more.
 */
final class SentFile extends DefaultFileRegion implements Forwarding {
  private boolean stopped;

  SentFile(FileChannel file, long offset, long count) {
    super(file, offset, count);
  }

  @Override
  public long count() {
    return stopped ? transferred() : super.count();
  }

  @Override
  public long bytesHandedOn() {
    return transferred();
  }

  @Override
  public void stop() {
    stopped = true;
  }

  @Override
  protected void deallocate() {}
}
