package dev.weir.demo.echo;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.Asyncio;
import dev.weir.netty.MessageConnection;
import dev.weir.netty.NettyStreams;
import dev.weir.stream.ConnectOptions;
import dev.weir.task.Future;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.redis.AbstractStringRedisMessage;
import io.netty.handler.codec.redis.ArrayRedisMessage;
import io.netty.handler.codec.redis.ErrorRedisMessage;
import io.netty.handler.codec.redis.FullBulkStringRedisMessage;
import io.netty.handler.codec.redis.IntegerRedisMessage;
import io.netty.handler.codec.redis.RedisMessage;
import io.netty.util.ReferenceCountUtil;
import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * A client of a Redis server that any number of tasks may use at once. What they ask meanwhile goes
 * to the server in one go, and its replies come in the same order: that is all there is to
 * pipelining.
 */
public final class RedisClient implements AutoCloseable {
  private final MessageConnection<RedisMessage, RedisMessage> connection;
  private final Queue<Future<@Nullable Object>> unanswered = new ArrayDeque<>();

  private RedisClient(MessageConnection<RedisMessage, RedisMessage> connection) {
    this.connection = connection;
  }

  static RedisClient connect(String host, int port) throws IOException {
    RedisClient client =
        new RedisClient(
            NettyStreams.openMessageConnection(
                host,
                port,
                ConnectOptions.defaults(),
                RedisMessage.class,
                RedisServer::addHandlers));
    Asyncio.background(client::receiveReplies);
    return client;
  }

  /**
   * Sends a command and suspends until its reply is there. A caller that is cancelled may have sent
   * it already; nobody gets that reply.
   *
   * @return a {@link String}, a {@link Long}, a {@link List} of such, or null
   * @throws RedisException if the server says that it could not do it
   * @throws IOException if the connection is lost; nobody knows then whether it did
   */
  @Nullable Object call(String... words) throws IOException {
    Future<@Nullable Object> reply = Asyncio.runningLoop().createFuture();
    connection.send(command(words)); // May suspend before it has sent it, but not after:
    unanswered.add(reply); // so the queue is in the order of the commands.
    return reply.await(IOException.class);
  }

  private static RedisMessage command(String... words) {
    List<RedisMessage> children = new ArrayList<>();
    for (String word : words) {
      children.add(new FullBulkStringRedisMessage(Unpooled.copiedBuffer(word, UTF_8)));
    }
    return new ArrayRedisMessage(children);
  }

  private void receiveReplies() {
    IOException reason = new EOFException("the connection to Redis is closed");
    try {
      RedisMessage message = connection.receive();
      while (message != null) {
        deliver(message);
        message = connection.receive();
      }
    } catch (IOException e) {
      reason = e;
    } finally {
      connection.close(); // Nobody can send any more, and wait for ever.
      for (Future<@Nullable Object> reply : unanswered) {
        if (!reply.done()) {
          reply.setException(reason);
        }
      }
    }
  }

  private void deliver(RedisMessage message) throws IOException {
    try {
      Future<@Nullable Object> reply = unanswered.poll();
      if (reply == null) {
        throw new IOException("Redis says what nobody has asked: " + message);
      }
      if (!reply.done()) { // Who asked may have been cancelled; the reply comes all the same.
        answer(reply, message);
      }
    } finally {
      ReferenceCountUtil.release(message); // What is made of it is a copy.
    }
  }

  private static void answer(Future<@Nullable Object> reply, RedisMessage message) {
    try {
      reply.setResult(valueOf(message));
    } catch (RedisException e) {
      reply.setException(e);
    }
  }

  private static @Nullable Object valueOf(RedisMessage message) throws RedisException {
    return switch (message) {
      case ErrorRedisMessage error -> throw new RedisException(error.content());
      case AbstractStringRedisMessage line -> line.content();
      case IntegerRedisMessage integer -> integer.value();
      case FullBulkStringRedisMessage bulk -> bulk.isNull() ? null : bulk.content().toString(UTF_8);
      case ArrayRedisMessage array -> array.isNull() ? null : valuesOf(array.children());
      default -> throw new RedisException("an unknown kind of reply: " + message);
    };
  }

  private static List<@Nullable Object> valuesOf(List<RedisMessage> messages)
      throws RedisException {
    List<@Nullable Object> values = new ArrayList<>();
    for (RedisMessage message : messages) {
      values.add(valueOf(message));
    }
    return values;
  }

  /** Ends the connection; who still waits for a reply gets an {@link IOException}. */
  @Override
  public void close() {
    connection.close();
  }

  /** What the server answers to a command that it cannot do. */
  static final class RedisException extends IOException {
    private static final long serialVersionUID = 1L;

    RedisException(String message) {
      super(message);
    }
  }
}
