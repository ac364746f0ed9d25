"""An echo server over TLS by CPython's asyncio; prints its port, and ends with its standard input."""

import asyncio
import ssl
import sys


async def main(certificate: str, key: str, beginning: str) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if beginning == "start_tls":
            assert await reader.readline() == b"STARTTLS\n"
            writer.write(b"go ahead\n")
            await writer.drain()
            await writer.start_tls(context)
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    secured = None if beginning == "start_tls" else context
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=secured)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3]))
