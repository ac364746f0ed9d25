/**
 * The asyncio model: tasks, futures and streams, on whatever engine {@code EngineProvider} finds.
 */
module dev.weir.core {
  // Annotations: read by compilers and nobody else. Not transitive: every consumer would need the
  // jar.
  requires static org.jspecify;
  requires static jdk.unsupported; // sun.misc.Signal, where it is there.

  exports dev.weir;
  exports dev.weir.datagram;
  exports dev.weir.pipe;
  exports dev.weir.process;
  exports dev.weir.protocol;
  exports dev.weir.spi;
  exports dev.weir.stream;
  exports dev.weir.sync;
  exports dev.weir.task;
  exports dev.weir.testing;
  exports dev.weir.tls;

  uses dev.weir.spi.EngineProvider;
}
