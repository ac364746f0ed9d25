"""Clients that send one byte a second and never end their line: how long does the server bear it?

Arguments: port, number of connections. Prints "connected", and "all closed" when the other side has closed them.
"""

import resource
import selectors
import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

selector = selectors.DefaultSelector()
dripping = set()
for _ in range(count):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setblocking(False)
    connection.send(b"x")
    dripping.add(connection)
    selector.register(connection, selectors.EVENT_READ)
print("connected", flush=True)

next_drip = time.monotonic() + 1


def ended(connection):
    dripping.remove(connection)
    selector.unregister(connection)
    connection.close()


while dripping:
    for key, _ in selector.select(max(0, next_drip - time.monotonic())):
        ended(key.fileobj)
    if time.monotonic() >= next_drip:
        next_drip += 1
        for connection in list(dripping):
            try:
                connection.send(b"x")
            except OSError:
                ended(connection)
print("all closed", flush=True)
