package dev.weir.demo.echo;

import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test class during which a message of Netty's codecs was collected before it was released.
 * The build has every buffer watched.
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
    Unpooled.directBuffer(1).release(); // Netty looks for leaks when it makes a buffer.
    List<String> leaks = List.copyOf(LEAKS);
    LEAKS.clear();
    if (!leaks.isEmpty()) {
      throw new AssertionError("LEAK: " + String.join("\n", leaks));
    }
  }
}
