"""Runs the simple server and the simple client, each on a pseudo-terminal, and types at the client's.

Its arguments are the command that the names of the two programs are appended to. Prints what they said.
"""

import sys

from terminals import Terminal

command = sys.argv[1:]

server = Terminal("server", *command, "simple-server", "0")
port = server.expect(r"Serving on \[/127\.0\.0\.1:(\d+)\]\r\n")[1]

client = Terminal("client", *command, "simple-client", port)
prompt = client.expect("Enter a message: ")[0]
client.type("Hello, Weir!\n")
echoed = client.expect(r"(.*)\r\n")[1]  # What is typed, a terminal shows.
print(f"client: {prompt}{echoed}")
print("client:", client.expect(r"(Sent: .*)\r\n")[1])
client.end()

print("server:", server.expect(r"(Received: .*)\r\n")[1])
server.type("\x03")  # Ctrl-C.
server.end()
