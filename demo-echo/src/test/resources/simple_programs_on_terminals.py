"""Runs the simple server and the simple client, each on a pseudo-terminal, and types at the client's.

Its arguments are the command that the names of the two programs are appended to. Prints what they said.
"""

import os
import pty
import re
import signal
import sys


class Terminal:
    def __init__(self, name, *command):
        self.name = name
        self.screen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.execvp(command[0], command)

    def expect(self, pattern):
        """Waits until the screen shows the pattern, and forgets the screen up to its end."""
        while not (match := re.search(pattern, self.screen)):
            try:
                shown = os.read(self.fd, 1000).decode()
            except OSError:  # Linux's end of file on a terminal.
                shown = ""
            if not shown:
                sys.exit(f"{self.name} ended, having shown {self.screen!r} and not {pattern!r}")
            self.screen += shown
        self.screen = self.screen[match.end():]
        return match

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def end(self):
        _, status = os.waitpid(self.pid, 0)
        print(f"{self.name} ended with {os.waitstatus_to_exitcode(status)}")


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
