package dev.weir.netty;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlaintextHandlerTest {
  private final List<String> seen = new ArrayList<>();
  private boolean handsOn;

  private final EmbeddedChannel channel =
      new EmbeddedChannel(new PlaintextHandler(() -> handsOn), new Recorder());

  private final class Recorder extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf buffer = (ByteBuf) message;
      seen.add(buffer.toString(US_ASCII) + " in " + buffer.nioBufferCount());
      buffer.release();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
      seen.add(event.toString());
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      seen.add(String.valueOf(cause.getMessage()));
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      seen.add("inactive");
    }
  }

  private ByteBuf read(String text) {
    ByteBuf record = Unpooled.copiedBuffer(text, US_ASCII);
    channel.pipeline().fireChannelRead(record);
    return record;
  }

  @Test
  void recordsOfOneReadAreHandedOnTogether() {
    ByteBuf first = read("ab");
    read("cd");
    assertThat(seen).isEmpty();

    channel.pipeline().fireChannelReadComplete();

    assertThat(seen).containsExactly("abcd in 2");
    assertThat(first.refCnt()).isZero();
  }

  @Test
  void oneRecordIsHandedOnAsItIs() {
    read("ab");
    channel.pipeline().fireChannelReadComplete();
    read("cd");
    channel.pipeline().fireChannelReadComplete();

    assertThat(seen).containsExactly("ab in 1", "cd in 1");
  }

  @Test
  void whatHappensBehindARecordIsHeardOfBehindIt() {
    read("ab");
    channel.pipeline().fireUserEventTriggered("end");
    read("cd");
    channel.pipeline().fireExceptionCaught(new IllegalStateException("broken"));
    read("ef");
    channel.pipeline().fireChannelInactive();

    assertThat(seen).containsExactly("ab in 1", "end", "cd in 1", "broken", "ef in 1", "inactive");
  }

  @Test
  void whatGoesToAnotherConnectionPassesAtOnceBehindWhatWasHeld() {
    read("ab");
    handsOn = true;
    read("cd");

    assertThat(seen).containsExactly("ab in 1", "cd in 1");
  }

  @Test
  void whatIsHeldWhenTheHandlerGoesIsReleased() {
    ByteBuf held = read("ab");

    channel.pipeline().remove(PlaintextHandler.class);

    assertThat(held.refCnt()).isZero();
    assertThat(seen).isEmpty();
  }
}
