"""Talks to an echo over a WebSocket, with the package `websockets`, and says what came of it."""

import asyncio
import random
import sys

import websockets


async def talk(url):
    async with websockets.connect(url, max_size=None, compression=None) as socket:
        await socket.send("text: \u00e4\u20ac\U0001f30a")
        print("text came back:", await socket.recv() == "text: \u00e4\u20ac\U0001f30a")

        data = random.Random(1).randbytes(1_000_003)
        await socket.send(data)
        print("bytes came back:", await socket.recv() == data)

        await socket.send("")
        print("nothing came back:", await socket.recv() == "")

        await socket.send(["in ", "three ", "fragments"])
        print("fragments came back:", await socket.recv())

        await asyncio.wait_for(await socket.ping(b"are you there?"), 30)
        print("the ping was answered")

        count = 1000
        sending = asyncio.create_task(send_numbers(socket, count))
        print("in order:", [await socket.recv() for _ in range(count)] == [str(i) for i in range(count)])
        await sending

        await socket.close(code=4321, reason="enough")
        print("closed with:", socket.close_code, socket.close_reason)


async def send_numbers(socket, count):
    for i in range(count):
        await socket.send(str(i))


async def talk_shortly(url, number):
    async with websockets.connect(url) as socket:
        await socket.send(f"client {number}")
        return await socket.recv() == f"client {number}"


async def main(url):
    await talk(url)
    print("many at once:", all(await asyncio.gather(*(talk_shortly(url, i) for i in range(50)))))


asyncio.run(main(sys.argv[1]))
