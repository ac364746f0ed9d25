"""Figures that do not depend on how busy the machine is: system calls, bytes and instructions per message.

Each comes from two runs with different numbers of messages: their difference leaves out connecting and starting.
"""

import select
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from .figures import per_message

# Times the number that are in flight on a connection: those are answered together.
STRACE_MESSAGES = (4_000, 12_000)
COUNTED_MESSAGES = (50_000, 150_000)
QUICK_MESSAGES = (500, 1_500)
REPEATS = 3
ATTACH_SECONDS = 20
SETTLE_SECONDS = 0.1  # For the server to close its connections, in every run or in none.


class Unavailable(Exception):
    """Cannot be counted here: the text says why."""


def parse_strace(table):
    """Returns the number of calls by name, from what `strace -c` writes."""
    calls = {}
    for line in table.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[0].replace(".", "").isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3])
    return calls


def parse_perf(table):
    """Returns the number of instructions, from what `perf stat -x,` writes."""
    for line in table.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[2].startswith("instructions"):
            if not fields[0].isdigit():
                raise Unavailable(f"perf says {fields[0]}")
            return int(fields[0])
    raise Unavailable("perf counts no instructions")


# What moves bytes and waits for them. The rest is the runtime's: a compiler thread that wakes another, memory.
IO_CALLS = frozenset(
    "read readv recvfrom recvmsg recvmmsg write writev sendto sendmsg sendmmsg sendfile splice"
    " accept accept4 close shutdown poll ppoll select pselect6"
    " epoll_wait epoll_pwait epoll_pwait2 epoll_ctl io_uring_enter timerfd_settime".split()
)


def _traced_calls(server, run):
    if shutil.which("strace") is None:
        raise Unavailable("there is no strace")
    with tempfile.NamedTemporaryFile("r") as table:
        process = subprocess.Popen(
            ["strace", "-c", "-f", "-p", str(server.pid), "-o", table.name], stderr=subprocess.PIPE, bufsize=0
        )
        said = b""
        deadline = time.monotonic() + ATTACH_SECONDS
        while b"attached" not in said:
            if not select.select([process.stderr], [], [], max(0, deadline - time.monotonic()))[0]:
                process.kill()
                raise Unavailable("strace does not attach")
            got = process.stderr.read(4096)
            if not got:
                process.wait()
                raise Unavailable(said.decode().strip().splitlines()[-1] if said else "strace ended")
            said += got
        try:
            run()
            time.sleep(SETTLE_SECONDS)
        finally:
            process.send_signal(signal.SIGINT)  # It detaches, and writes its table.
            process.communicate()
        return parse_strace(Path(table.name).read_text())


def system_calls(load, server, workload, messages, repeats):
    """Returns the calls for I/O per message by name: the medians of differences."""
    time.sleep(SETTLE_SECONDS)  # What the warm-up opened is closed by then.
    counts = [
        [
            _traced_calls(server, lambda number=number: load.run(server, "closed", messages=number, **workload.arguments))
            for number in messages
        ]
        for _ in range(repeats)
    ]
    names = {name for pair in counts for calls in pair for name in calls if name in IO_CALLS}
    return {
        name: statistics.median(per_message(fewer.get(name, 0), more.get(name, 0), *messages) for fewer, more in counts)
        for name in names
    }


def allocated_bytes(load, server, workload, messages):
    """Returns the bytes per message."""
    allocated = []
    for number in messages:
        before = server.allocated()
        if before is None:
            raise Unavailable("not a JVM")
        load.run(server, "closed", messages=number, **workload.arguments)
        allocated.append(server.allocated() - before)
    return per_message(*allocated, *messages)


def instructions(load, server, workload, messages):
    """Returns the instructions in user mode per message."""
    if shutil.which("perf") is None:
        raise Unavailable("there is no perf")
    counts = []
    for number in messages:
        with tempfile.NamedTemporaryFile("r") as table:
            perf = ["perf", "stat", "-x,", "-e", "instructions:u", "-p", str(server.pid), "-o", table.name, "--"]
            load.run(server, "closed", perf, messages=number, **workload.arguments)
            counts.append(parse_perf(Path(table.name).read_text()))
    return per_message(*counts, *messages)
