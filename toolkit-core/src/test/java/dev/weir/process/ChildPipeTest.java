package dev.weir.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The paths by which children are given their pipes. */
class ChildPipeTest {
  /** More than are looked at before all are. */
  private static final int MANY = 100;

  @TempDir Path folder;

  @BeforeEach
  void assumeDescriptorsHaveNames() {
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "descriptors have no names here");
  }

  private static void assertLeadsIntoItself(ChildPipe pipe) throws IOException {
    try (FileChannel child = FileChannel.open(pipe.path(), StandardOpenOption.WRITE)) {
      child.write(ByteBuffer.wrap("it is this one".getBytes(UTF_8)));
    }
    ByteBuffer read = ByteBuffer.allocate(100);
    pipe.source().read(read);
    assertThat(UTF_8.decode(read.flip()).toString()).isEqualTo("it is this one");
  }

  @Test
  void eachOfManyPipesHasItsOwn() throws IOException {
    List<ChildPipe> pipes = new ArrayList<>();
    try {
      for (int i = 0; i < MANY; i++) {
        pipes.add(ChildPipe.open());
      }
      for (ChildPipe pipe : pipes) {
        assertLeadsIntoItself(pipe);
      }
    } finally {
      pipes.forEach(ChildPipe::close);
    }
  }

  @Test
  void aPipeIsFoundFarFromTheLastToo() throws IOException {
    ChildPipe.open().close();
    List<FileChannel> between = new ArrayList<>();
    try {
      for (int i = 0; i < MANY; i++) {
        between.add(
            FileChannel.open(
                folder.resolve("file " + i), StandardOpenOption.CREATE, StandardOpenOption.WRITE));
      }
      try (ChildPipe far = ChildPipe.open()) {
        assertLeadsIntoItself(far);
        for (FileChannel file : between) {
          file.close();
        }
        try (ChildPipe low = ChildPipe.open()) {
          assertLeadsIntoItself(low);
        }
      }
    } finally {
      for (FileChannel file : between) {
        file.close();
      }
    }
  }
}
