"""Holds as many connections to an echo server as it is told to, idle; then each sends and gets back one line."""

import asyncio
import resource
import sys

AT_A_TIME = 200


async def main(port: int, count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gate = asyncio.Semaphore(AT_A_TIME)

    async def connect():
        async with gate:
            return await asyncio.open_connection("127.0.0.1", port)

    async def echo(reader, writer, line: bytes) -> None:
        async with gate:
            writer.write(line)
            assert await reader.readline() == line

    connections = await asyncio.gather(*(connect() for _ in range(count)))
    print("connected", flush=True)
    sys.stdin.readline()
    await asyncio.gather(
        *(echo(*connection, b"I am %d\n" % i) for i, connection in enumerate(connections))
    )
    print("answered", flush=True)
    sys.stdin.readline()


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
