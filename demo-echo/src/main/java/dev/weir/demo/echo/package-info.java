/**
 * What a user writes: an echo server and its client, with a command line around them.
 *
 * <p>Begin with {@link dev.weir.demo.echo.EchoServer}, which is the whole of the first example.
 * {@link dev.weir.demo.echo.SimpleServer} and {@link dev.weir.demo.echo.SimpleClient} are two
 * programs of Python's asyncio, moved over line by line. {@link dev.weir.demo.echo.ChatServer}
 * writes to many and waits for none; {@link dev.weir.demo.echo.ChatClient} reads a terminal and a
 * connection at once. {@link dev.weir.demo.echo.HttpServer}, {@link
 * dev.weir.demo.echo.WebSocketServer}, {@link dev.weir.demo.echo.RedisServer} and {@link
 * dev.weir.demo.echo.RedisClient} speak other protocols than echoes, by codecs of Netty's. {@link
 * dev.weir.demo.echo.EchoCommand} is the command line {@code demo-echo/echo}.
 */
@NullMarked
package dev.weir.demo.echo;

import org.jspecify.annotations.NullMarked;
