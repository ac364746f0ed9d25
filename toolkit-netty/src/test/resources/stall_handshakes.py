"""Clients that begin a TLS handshake and stop in the middle: how long does the server bear it?

Arguments: port, number of connections, a client's first message in hexadecimal. Each sends as many bytes of it as its turn
says: 0, 1, 5 or 100. Prints "connected", and then after how many milliseconds, counted from its connection, the other
side closed the first and the last: "closed FIRST LAST".
"""

import resource
import selectors
import socket
import sys
import time

port, count, hello = int(sys.argv[1]), int(sys.argv[2]), bytes.fromhex(sys.argv[3])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

lengths = [0, 1, 5, 100]
selector = selectors.DefaultSelector()
started = {}
for i in range(count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.send(hello[: lengths[i % len(lengths)]])
    connection.setblocking(False)
    started[connection] = time.monotonic()
    selector.register(connection, selectors.EVENT_READ)
print("connected", flush=True)

lives = []
while started:
    for key, _ in selector.select():
        connection = key.fileobj
        try:
            if connection.recv(4096):
                continue
        except OSError:
            pass
        lives.append(time.monotonic() - started.pop(connection))
        selector.unregister(connection)
        connection.close()
print("closed", round(min(lives) * 1000), round(max(lives) * 1000), flush=True)
