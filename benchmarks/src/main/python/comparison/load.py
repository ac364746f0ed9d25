"""Runs of the load generator."""

import contextlib
import os
import subprocess
import time

from .machine import build_c
from .servers import Failed


def _figures(line):
    pairs = (pair.split("=", 1) for pair in line.split())
    return {key: float(value) for key, value in pairs}


class Load:
    def __init__(self, core):
        self._program = build_c("load")
        self._program_tls = None
        self._core = core

    def prepare_tls(self):
        """Before the first run with a server that has TLS. Raises Missing where there is no OpenSSL to compile with."""
        self._program_tls = build_c("load", tls=True)

    def _start(self, server, what, arguments, before=(), **options):
        program = self._program_tls if server.tls else self._program
        command = [*before, program, what, f"port={server.port}", f"pid={server.pid}", f"tls={int(server.tls)}"]
        command += [f"{key}={value}" for key, value in arguments.items()]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {self._core}),
            **options,
        )

    def run(self, server, what, before=(), **arguments):
        """Returns the figures. `before` is a command that runs the generator, such as perf."""
        compiled, start = server.compiling_seconds(), time.monotonic()
        process = self._start(server, what, arguments, before)
        said, errors = process.communicate()
        seconds = time.monotonic() - start
        if process.returncode != 0:
            raise Failed(f"{server.name}: {errors.strip() or said.strip()}")
        figures = _figures(said)
        compiling = sum(max(0, after - compiled.get(thread, 0)) for thread, after in server.compiling_seconds().items())
        figures["compiling"] = 100 * compiling / seconds
        if figures.get("server_us"):
            figures["per_cpu_second"] = 1e6 / figures["server_us"]
        return figures

    @contextlib.contextmanager
    def idle(self, server, **arguments):
        """Connections that have had their message, open as long as the body runs."""
        process = self._start(server, "idle", arguments, stdin=subprocess.PIPE)
        try:
            line = process.stdout.readline()
            if not line:
                raise Failed(f"{server.name}: {process.stderr.read().strip()}")
            yield _figures(line)
        finally:
            process.communicate()
