"""The peers "asyncio" and "uvloop": an echo server on asyncio's streams, in spirit "TCP echo server using streams" in the
documentation of asyncio; uvloop runs the same program, as its README says. Arguments: the loop and the mode."""

import asyncio
import os
import platform
import sys
import threading

READ_BYTES_MAX = 64 * 1024
BACKLOG = 4096


async def echo_bytes(reader, writer):
    while data := await reader.read(READ_BYTES_MAX):
        writer.write(data)
        await writer.drain()


async def echo_lines(reader, writer):
    async for line in reader:
        writer.write(line)
        await writer.drain()


def handler(echo):
    async def handle(reader, writer):
        try:
            await echo(reader, writer)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            writer.close()  # The client has gone.

    return handle


def end_with_standard_input():
    sys.stdin.buffer.read()
    os._exit(0)


async def serve(about, echo):
    server = await asyncio.start_server(handler(echo), "127.0.0.1", 0, backlog=BACKLOG)
    port = server.sockets[0].getsockname()[1]
    print(f"{port} {about} streams, CPython {platform.python_version()}, one loop", flush=True)
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    async with server:
        await server.serve_forever()


def main():
    match sys.argv[1:]:
        case ["asyncio" | "uvloop" as loop, "bytes" | "lines" as mode]:
            echo = {"bytes": echo_bytes, "lines": echo_lines}[mode]
        case _:
            sys.exit("usage: echo.py asyncio|uvloop bytes|lines")
    loop_factory = None  # Asyncio's own.
    if loop == "uvloop":
        import uvloop

        loop_factory = uvloop.new_event_loop
        loop += " " + uvloop.__version__
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve(loop, echo))


main()
