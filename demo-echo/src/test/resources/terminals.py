"""Programs on pseudo-terminals: what they show can be waited for, and keys be typed."""

import os
import pty
import re
import signal
import sys

SECONDS_MAX = 40  # For one wait, so that what never comes does not leave programs behind.


def give_up(*_):
    raise TimeoutError


signal.signal(signal.SIGALRM, give_up)


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
        signal.alarm(SECONDS_MAX)
        while not (match := re.search(pattern, self.screen)):
            try:
                shown = os.read(self.fd, 1000).decode()
            except TimeoutError:
                sys.exit(f"{self.name} goes on, having shown {self.screen!r} and not {pattern!r}")
            except OSError:  # Linux's end of file on a terminal.
                shown = ""
            if not shown:
                sys.exit(f"{self.name} ended, having shown {self.screen!r} and not {pattern!r}")
            self.screen += shown
        signal.alarm(0)
        self.screen = self.screen[match.end():]
        return match

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def signal(self, number):
        os.kill(self.pid, number)

    def end(self):
        signal.alarm(SECONDS_MAX)
        _, status = os.waitpid(self.pid, 0)
        signal.alarm(0)
        print(f"{self.name} ended with {os.waitstatus_to_exitcode(status)}")
