"""Has three people chat, each on a pseudo-terminal, with a server on a fourth.

Its arguments are the command that the names of the programs are appended to. Prints what the terminals showed.
"""

import re
import signal
import sys

from terminals import Terminal

CLEAR_LINE = "\r\x1b[K"
CTRL_C = "\x03"
CTRL_D = "\x04"
CTRL_R = "\x12"


def show(terminal, text):
    """Waits until exactly this is shown, and prints it on one line."""
    shown = terminal.expect(re.escape(text))[0].replace(CLEAR_LINE, "<clear>").replace("\r\n", " ")
    print(f"{terminal.name}: {shown.rstrip()}")


def message(text):
    return f"{CLEAR_LINE}{text}\r\n"


def come_in(name, here):
    client = Terminal(name, *command, "chat-client", "127.0.0.1", port, "--name", name)
    show(client, message(f"* Welcome, {name}. {here}"))
    return client


command = sys.argv[1:]
server = Terminal("server", *command, "chat-server", "--port", "0")
port = server.expect(r"listening on 127\.0\.0\.1:(\d+) ")[1]

ann = come_in("Ann", "Nobody else is here")
bob = come_in("Bob", "Here: Ann")
show(ann, message("* Bob came in"))

# A message arrives in the middle of a line, which goes out whole all the same.
bob.type("half a")
bob.expect("half a")
ann.type("Hello, Bob!\n")
show(bob, message("Ann: Hello, Bob!"))
bob.type(CTRL_R)
show(bob, "^R\r\nhalf a")
bob.type(" line\n")
show(ann, message("Bob: half a line"))

# Control characters: a terminal passes these on as it is, and the server does not.
bob.type("red: \x1b[31m, bell: \x07\n")
show(ann, message("Bob: red: \ufffd[31m, bell: \ufffd"))

# Three ways to leave.
bob.type(CTRL_D)
bob.end()
show(ann, message("* Bob left"))

cid = come_in("Cid", "Here: Ann")
show(ann, message("* Cid came in"))
cid.type("unfinished" + CTRL_C)
cid.end()
show(ann, message("* Cid left"))

dee = come_in("Dee", "Here: Ann")
ann.type("/quit\n")
ann.end()
show(dee, message("* Ann left"))

# The server leaves first.
server.signal(signal.SIGTERM)
show(dee, message("* The server is going down"))
show(dee, "echo: The server has gone: it closed the connection\r\n")
dee.end()
server.end()
