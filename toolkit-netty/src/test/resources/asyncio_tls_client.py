"""Talks to an echo server over TLS as users of CPython's asyncio do; from the beginning, or by start_tls."""

import asyncio
import os
import ssl
import sys


async def main(port: int, trusted: str, beginning: str) -> None:
    context = ssl.create_default_context(cafile=trusted)
    if beginning == "start_tls":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"STARTTLS\n")
        await writer.drain()
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(context, server_hostname="localhost")
    else:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
    assert writer.get_extra_info("cipher")[1] == "TLSv1.3"
    for line in (b"hello\n", b"\n", "über\n".encode()):
        writer.write(line)
        await writer.drain()
        assert await reader.readline() == line
    message = os.urandom(1 << 20)

    async def send() -> None:
        writer.write(message)
        await writer.drain()

    sending = asyncio.create_task(send())
    assert await reader.readexactly(len(message)) == message
    await sending
    writer.close()
    await writer.wait_closed()
    print("done")


asyncio.run(main(int(sys.argv[1]), sys.argv[2], sys.argv[3]))
