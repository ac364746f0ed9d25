"""The servers, each a process of its own on one core, that ends when its standard input does."""

import contextlib
import os
import re
import select
import subprocess
import tempfile
import time
from pathlib import Path

from .machine import PEERS, Missing, find_java

# In the order of the tables. `c` is the ceiling, and the first of the others what they are compared with.
NAMES = (
    "c",
    "netty",
    "mounted",
    "portable",
    "netty-nio",
    "netty-io_uring",
    "netty-tuned",
    "mounted-nio",
    "mounted-io_uring",
    "transfer",
    "vertx",
    "reactor",
    "blocking",
    "go",
    "tokio",
    "asyncio",
    "uvloop",
    "netty-tls",
    "mounted-tls",
    "portable-tls",
    "transfer-tls",
    "netty-tls-boringssl",
    "mounted-tls-boringssl",
    "portable-tls-boringssl",
    "transfer-tls-boringssl",
)
_OTHERS = {"c", "go", "tokio", "asyncio", "uvloop"}
JVM = set(NAMES) - _OTHERS

START_SECONDS = 600  # Some build themselves first.
ANSWER_SECONDS = 5
STOP_SECONDS = 10
MISSING_STATUS = 3

_COMPILER = re.compile("C[12] Compiler")


def tls_of(name):
    """Returns what is behind the name of the server without TLS: "-tls", "-tls-boringssl", or nothing."""
    _, tls, engine = name.partition("-tls")
    return tls + engine


def base_of(name, names):
    """Returns the one of these servers that the one named is compared with: raw Netty, with the same engine for TLS."""
    raw = "netty" + tls_of(name)
    return raw if raw in names else next(other for other in names if tls_of(other) == tls_of(name))


class Failed(Exception):
    """A server did something wrong: the text says what."""


class Server:
    """A running server. `about` is what it says of itself."""

    def __init__(self, name, mode, core, environment=None):
        program = PEERS / name
        if not program.exists():
            raise Missing(f"there is no {name} in src/main/peers")
        self.name = name
        self.tls = tls_of(name) != ""
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [program, mode],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=0,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        self.pid = self._process.pid
        try:
            port, self.about = self._read_line(START_SECONDS).split(" ", 1)
            self.port = int(port)
            self._require_one_process()
        except BaseException:
            self.stop()
            raise

    def _require_one_process(self):
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with contextlib.suppress(FileNotFoundError), open(f"/proc/{self.pid}/task/{thread}/children") as children:
                if children.read().strip():
                    raise Failed(f"{self.name} has child processes: its script must exec the server")

    def _read_line(self, seconds):
        line = b""
        deadline = time.monotonic() + seconds
        while not line.endswith(b"\n"):
            if not select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Failed(f"{self.name} says nothing")
            got = os.read(self._process.stdout.fileno(), 4096)
            if not got:
                self._ended()
            line += got
        return line.decode().strip()

    def _ended(self):
        status = self._process.wait(STOP_SECONDS)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip()
        if status == MISSING_STATUS:
            raise Missing(said.splitlines()[-1] if said else "its toolchain is missing")
        raise Failed(f"{self.name} ended with status {status}: {said[-2000:]}")

    def allocated(self):
        """Returns the bytes that the server has allocated so far, or None where it does not say."""
        if self.name not in JVM:
            return None
        self._process.stdin.write(b"allocated\n")
        try:
            return int(self._read_line(ANSWER_SECONDS).split()[1])
        except Failed:
            return None

    def compiling_seconds(self):
        """Returns how much CPU time each thread of a JVM's just-in-time compiler has had so far."""
        seconds = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir() if self.name in JVM else ():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # They come and go.
                if _COMPILER.match((task / "comm").read_text()):
                    seconds[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
        return seconds

    def collect_garbage(self):
        """Has a JVM collect all of it; others collect when they will."""
        if self.name in JVM:
            jcmd = Path(find_java()).with_name("jcmd")
            subprocess.run([jcmd, str(self.pid), "GC.run"], stdout=subprocess.DEVNULL, check=True)

    def resident_bytes(self):
        with open(f"/proc/{self.pid}/smaps_rollup") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss:"))

    def command(self):
        with open(f"/proc/{self.pid}/cmdline") as arguments:
            return arguments.read().rstrip("\0").replace("\0", " ")

    def stop(self):
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Servers:
    """The servers that are up, one for each name and mode, started when first asked for."""

    def __init__(self, names, core, say):
        self.names = list(names)
        self.left_out = {}
        self.about = {}
        self.commands = {}
        self._core = core
        self._say = say
        self._running = {}

    def for_workload(self, workload):
        """Returns the names of those that can be asked for it, in order."""
        return [name for name in self.names if bool(tls_of(name)) == workload.tls]

    def leave_out(self, name, reason):
        self.names.remove(name)
        self.left_out[name] = str(reason)
        self._say(f"{name} is left out: {reason}")

    def start(self, workload):
        """Starts what it can be asked of and does not run yet in its mode. What is missing is left out from then on."""
        mode = workload.mode
        for name in self.for_workload(workload):
            if (name, mode) in self._running:
                continue
            try:
                server = Server(name, mode, self._core)
            except (Missing, Failed) as reason:
                self.leave_out(name, reason)
                continue
            self._running[name, mode] = server
            if name not in self.about:
                self.about[name] = server.about
                self.commands[name] = server.command()
                self._say(f"{name}: {server.about}")

    def get(self, name, mode):
        return self._running[name, mode]

    def fresh(self, name, mode, environment):
        """Returns one more, which the caller stops."""
        return Server(name, mode, self._core, environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._running.values():
            server.stop()
