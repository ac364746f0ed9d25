package dev.weir.netty;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class during which a buffer of Netty's was collected before it was released.
 *
 * <p>Netty notices a leak when it makes a buffer after the garbage collector found the lost one, so
 * this asks for both. How many buffers are watched is up to {@code io.netty.leakDetection.level};
 * the build sets it to {@code paranoid}.
 */
final class LeakCheck implements BeforeAllCallback, AfterAllCallback {
  private static final List<String> LEAKS = new CopyOnWriteArrayList<>();

  @Override
  public void beforeAll(ExtensionContext context) {
    ByteBufUtil.setLeakListener((type, records) -> LEAKS.add(type + records));
  }

  @Override
  public void afterAll(ExtensionContext context) {
    System.gc();
    Unpooled.directBuffer(1).release();
    List<String> leaks = List.copyOf(LEAKS);
    LEAKS.clear();
    if (!leaks.isEmpty()) {
      throw new AssertionError("LEAK: " + String.join("\n", leaks));
    }
  }
}
