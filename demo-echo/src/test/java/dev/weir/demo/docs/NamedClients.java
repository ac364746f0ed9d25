package dev.weir.demo.docs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.stream.StreamReader;
import dev.weir.stream.StreamWriter;
import dev.weir.task.Context;
import java.io.IOException;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/** The example of docs/asyncio.md for SLF4J's MDC, which shows these methods as they stand here. */
final class NamedClients {
  private static final Logger LOG = LoggerFactory.getLogger(NamedClients.class);

  private NamedClients() {}

  /** Called once, before the first run. */
  static Runnable carryMdc() {
    return Context.carry(MDC::getCopyOfContextMap, MDC::setContextMap);
  }

  /** Every log line names the client: with Logback, where the pattern says %X{client}. */
  static void serve(StreamReader reader, StreamWriter writer) throws IOException {
    MDC.put("client", writer.remoteAddress().toString());
    for (String line : reader.lines(UTF_8)) {
      LOG.info("{} asked for", line);
      Asyncio.background(() -> account(line));
      writer.writeLine(Asyncio.toThread(() -> compute(line)));
    }
  }

  private static void account(String line) {
    if (line.isBlank()) {
      throw new IllegalArgumentException("nobody pays for nothing");
    }
    LOG.info("{} accounted for", line);
  }

  private static String compute(String line) {
    LOG.info("{} computed", line);
    return line.toUpperCase(Locale.ROOT);
  }
}
