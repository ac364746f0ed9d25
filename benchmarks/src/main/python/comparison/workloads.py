"""What is asked of the servers."""

from dataclasses import dataclass
from typing import NamedTuple

RATIO = "ratio"  # To the base, in the same round.
DIFFERENCE = "difference"  # From the base, in the same round.
VALUE = "value"


class Column(NamedTuple):
    title: str  # {base} stands for the server that the others are compared with.
    figure: str
    kind: str = VALUE
    form: str = "{:.2f}"
    with_range: bool = True


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    mode: str
    load: str  # The first argument of the load generator.
    arguments: dict
    columns: tuple
    # The column that a chart shows, and whether more of it is better.
    chart: Column
    more_is_better: bool = True
    tls: bool = False  # Whether it is for the servers with TLS, and for no others.


_RATE_RATIO = Column("{base} = 1", "per_second", RATIO)


def _throughput(name, title, mode, load, unit, chart=_RATE_RATIO, tls=False, **arguments):
    columns = (
        Column(f"{unit}/s", "per_second", form="{:,.0f}"),
        _RATE_RATIO,
        Column(f"{unit} per CPU s, {{base}} = 1", "per_cpu_second", RATIO),
        Column("of c", "of_ceiling"),
        Column("server %", "server_cpu", form="{:.0f}", with_range=False),
        Column("client %", "client_cpu", form="{:.0f}", with_range=False),
        Column("CPU us", "server_us", form="{:.2f}", with_range=False),
        Column("user us", "server_user_us", form="{:.2f}", with_range=False),
    )
    return Workload(name, title, mode, load, arguments, columns, chart, tls=tls)


def _latency(name, title):
    p99 = Column("p99, {base} = 1", "p99_us", RATIO)
    columns = (
        Column("msg/s", "per_second", form="{:,.0f}", with_range=False),
        Column("p50 us", "p50_us", form="{:.0f}"),
        Column("p99 us", "p99_us", form="{:.0f}"),
        Column("p99.9 us", "p999_us", form="{:.0f}"),
        p99,
        Column("server %", "server_cpu", form="{:.0f}", with_range=False),
        Column("generator late, p99 us", "late_p99_us", form="{:.0f}", with_range=False),
    )
    return Workload(name, title, "bytes", "rate", {"connections": 64, "bytes": 1024}, columns, p99, False)


LATENCY = _latency("latency", "1 KiB, 64 connections, at half of the most that the server itself reaches")
LATENCY_SAME_RATE = _latency("latency-same-rate", "1 KiB, 64 connections, at half of the most that {base} reaches")

_IDLE_BYTES = Column("bytes per connection", "rss_per_connection", form="{:,.0f}")

IDLE = Workload(
    "idle",
    "resident memory per idle connection, one message of 1 KiB each before",
    "bytes",
    "idle",
    {"connections": 20_000, "bytes": 1024},
    (
        _IDLE_BYTES,
        Column("above {base}", "rss_per_connection", DIFFERENCE, "{:+,.0f}"),
        Column("connections", "connections", form="{:.0f}", with_range=False),
        Column("MB without any", "rss_before_mb", form="{:.0f}", with_range=False),
    ),
    _IDLE_BYTES,
    False,
)

PINGPONG_64 = _throughput(
    "pingpong-64", "1 KiB ping-pong, 64 connections", "bytes", "closed", "msg", connections=64, bytes=1024
)

LINES = _throughput(
    "lines",
    "64-byte lines, 64 connections, 16 in flight each",
    "lines",
    "closed",
    "msg",
    connections=64,
    bytes=64,
    depth=16,
)

LARGE = _throughput(
    "large", "100 KiB messages, 16 connections", "bytes", "closed", "msg", connections=16, bytes=100 * 1024
)

TLS_PINGPONG_64 = _throughput(
    "tls-pingpong-64",
    "1 KiB ping-pong, 64 connections, TLS 1.3",
    "bytes",
    "closed",
    "msg",
    tls=True,
    connections=64,
    bytes=1024,
)

# Not TLS's large messages: so many as a count takes would be hours.
COUNTED = (PINGPONG_64, LINES, LARGE, TLS_PINGPONG_64)

ALL = (
    _throughput("pingpong-1", "1 KiB ping-pong, 1 connection", "bytes", "closed", "msg", connections=1, bytes=1024),
    PINGPONG_64,
    _throughput(
        "pingpong-1000", "1 KiB ping-pong, 1,000 connections", "bytes", "closed", "msg", connections=1000, bytes=1024
    ),
    _throughput(
        "pingpong-10000", "1 KiB ping-pong, 10,000 connections", "bytes", "closed", "msg", connections=10_000, bytes=1024
    ),
    LINES,
    LARGE,
    _throughput(
        "connects",
        "connect, one message of 64 bytes, close, 64 at a time",
        "bytes",
        "connects",
        "connections",
        # Connecting costs the generator as much as accepting costs raw Netty, so the rate is no measure between the best.
        chart=Column("connections per CPU s, {base} = 1", "per_cpu_second", RATIO),
        connections=64,
        bytes=64,
    ),
    LATENCY,
    LATENCY_SAME_RATE,
    IDLE,
    TLS_PINGPONG_64,
    _throughput(
        "tls-large",
        "1 MiB messages, 4 connections, TLS 1.3",
        "bytes",
        "closed",
        "MiB",  # A message is one.
        tls=True,
        connections=4,
        bytes=1024 * 1024,
    ),
)

# LATENCY_SAME_RATE comes with LATENCY.
NAMES = tuple(workload.name for workload in ALL if workload is not LATENCY_SAME_RATE)


def named(names):
    """Returns the workloads of these names, in the order of ALL."""
    return [
        workload
        for workload in ALL
        if workload.name in names or (workload is LATENCY_SAME_RATE and LATENCY.name in names)
    ]
