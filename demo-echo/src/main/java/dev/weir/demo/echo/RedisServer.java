package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import dev.weir.netty.MessageConnection;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.Server;
import dev.weir.stream.ServerOptions;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.redis.ArrayRedisMessage;
import io.netty.handler.codec.redis.ErrorRedisMessage;
import io.netty.handler.codec.redis.FullBulkStringRedisMessage;
import io.netty.handler.codec.redis.IntegerRedisMessage;
import io.netty.handler.codec.redis.RedisArrayAggregator;
import io.netty.handler.codec.redis.RedisBulkStringAggregator;
import io.netty.handler.codec.redis.RedisDecoder;
import io.netty.handler.codec.redis.RedisEncoder;
import io.netty.handler.codec.redis.RedisMessage;
import io.netty.handler.codec.redis.SimpleStringRedisMessage;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps strings in memory and speaks Redis's protocol, by Netty's codec: {@code PING}, {@code SET},
 * {@code GET} and {@code INCR}.
 */
public final class RedisServer {
  private static final int ARRAY_ELEMENTS_MAX = 64 * 1024;
  private static final int ARRAY_DEPTH_MAX = 8;

  /** How many words each command has, with its name. */
  private static final Map<String, Integer> COMMAND_LENGTHS =
      Map.of("PING", 1, "GET", 2, "SET", 3, "INCR", 2);

  /**
   * What all connections share. One loop runs them all, and between two suspensions a task has it
   * for itself: no lock, and {@code INCR} is atomic.
   */
  private final Map<String, String> values = new HashMap<>();

  Server start(String host, int port) throws IOException {
    return NettyStreams.startMessageServer(
        this::serve,
        host,
        port,
        ServerOptions.defaults(),
        RedisMessage.class,
        RedisServer::addHandlers);
  }

  /** The same for a client: both ends speak one language. */
  static void addHandlers(ChannelPipeline pipeline) {
    pipeline.addLast(
        new RedisDecoder(),
        new RedisBulkStringAggregator(),
        new RedisArrayAggregator(ARRAY_ELEMENTS_MAX, ARRAY_DEPTH_MAX),
        new RedisEncoder());
  }

  private void serve(MessageConnection<RedisMessage, RedisMessage> connection) throws IOException {
    for (RedisMessage message : connection) {
      List<String> command; // No part of the message, which may go.
      try {
        command = words(message);
      } finally {
        ReferenceCountUtil.release(message); // Not every kind of message is counted.
      }
      connection.send(command == null ? error("Protocol error: not a command") : answer(command));
    }
  }

  /** {@return the words of a command, each byte a character; null if it is none} */
  private static @Nullable List<String> words(RedisMessage message) {
    if (!(message instanceof ArrayRedisMessage array) || array.children().isEmpty()) {
      return null;
    }
    List<String> words = new ArrayList<>();
    for (RedisMessage child : array.children()) {
      if (!(child instanceof FullBulkStringRedisMessage word) || word.isNull()) {
        return null;
      }
      words.add(word.content().toString(ISO_8859_1));
    }
    return words;
  }

  private RedisMessage answer(List<String> command) {
    String name = command.getFirst().toUpperCase(Locale.ROOT);
    Integer length = COMMAND_LENGTHS.get(name);
    if (length == null) {
      return error("unknown command '" + command.getFirst() + "'");
    }
    if (length != command.size()) {
      return error("wrong number of arguments for '" + command.getFirst() + "' command");
    }
    return switch (name) {
      case "PING" -> new SimpleStringRedisMessage("PONG");
      case "GET" -> get(command.get(1));
      case "SET" -> set(command.get(1), command.get(2));
      case "INCR" -> increment(command.get(1));
      default -> throw new AssertionError(name);
    };
  }

  private RedisMessage get(String key) {
    String value = values.get(key);
    return value == null
        ? FullBulkStringRedisMessage.NULL_INSTANCE
        : new FullBulkStringRedisMessage(Unpooled.copiedBuffer(value, ISO_8859_1));
  }

  private RedisMessage set(String key, String value) {
    values.put(key, value);
    return new SimpleStringRedisMessage("OK");
  }

  private RedisMessage increment(String key) {
    try {
      long value = Math.incrementExact(Long.parseLong(values.getOrDefault(key, "0")));
      values.put(key, String.valueOf(value));
      return new IntegerRedisMessage(value);
    } catch (NumberFormatException e) {
      return error("value is not an integer or out of range");
    } catch (ArithmeticException e) {
      return error("increment or decrement would overflow");
    }
  }

  /** An error is one line, so what the client said must not bring in another. */
  private static RedisMessage error(String text) {
    return new ErrorRedisMessage("ERR " + text.replaceAll("\\p{Cntrl}", " "));
  }
}
