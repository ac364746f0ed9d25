"""Talks to an echo server as users of CPython's asyncio do: lines, a large message, a half-close, a reset."""

import asyncio
import os
import struct
import socket
import sys


async def main(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for line in (b"hello\n", b"\n", "über\n".encode()):
        writer.write(line)
        await writer.drain()
        assert await reader.readline() == line
    message = os.urandom(1 << 20)

    async def send() -> None:
        writer.write(message)
        await writer.drain()
        writer.write_eof()

    sending = asyncio.create_task(send())
    assert await reader.read(-1) == message
    await sending
    writer.close()
    await writer.wait_closed()

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"half a line")
    await writer.drain()
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    print("done")


asyncio.run(main(int(sys.argv[1])))
