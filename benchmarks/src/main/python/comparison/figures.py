"""What measurements say: medians with their range, ratios of the same round, and which measurements were disturbed.

A measurement is a dict of figures with two more entries, 'round' and 'server'.
"""

import statistics
from typing import NamedTuple

# A measurement is disturbed where somebody else had more than this share of one of the two cores, in percent.
OTHERS_MAX = 10

# For latency less is enough: one message in a hundred is what p99 is about.
OTHERS_MAX_FOR_LATENCY = 1
LATE_MAX_US = 200

# So much of its core in percent the just-in-time compiler of a server may have.
COMPILING_MAX = 5


class Spread(NamedTuple):
    median: float
    low: float
    high: float


def spread(values):
    """Returns the median and the range, or None of nothing."""
    values = list(values)
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def is_quiet(measurement):
    is_latency = "late_p99_us" in measurement
    most = OTHERS_MAX_FOR_LATENCY if is_latency else OTHERS_MAX
    if is_latency and measurement["late_p99_us"] > LATE_MAX_US:
        return False
    if measurement.get("compiling", 0) > COMPILING_MAX:
        return False
    return all(measurement.get(key, 0) <= most for key in ("server_core_others", "client_core_others"))


def of_server(measurements, server):
    return [measurement for measurement in measurements if measurement["server"] == server]


def values(measurements, server, figure):
    return [measurement[figure] for measurement in of_server(measurements, server) if figure in measurement]


def ratios(measurements, server, base, figure):
    """Returns the server's figure by that of the base, for each round that has both."""
    of_base = {measurement["round"]: measurement.get(figure) for measurement in of_server(measurements, base)}
    return [
        measurement[figure] / of_base[measurement["round"]]
        for measurement in of_server(measurements, server)
        if figure in measurement and of_base.get(measurement["round"])
    ]


def differences(measurements, server, base, figure):
    """Returns the server's figure less that of the base, for each round that has both."""
    of_base = {measurement["round"]: measurement.get(figure) for measurement in of_server(measurements, base)}
    return [
        measurement[figure] - of_base[measurement["round"]]
        for measurement in of_server(measurements, server)
        if figure in measurement and of_base.get(measurement["round"]) is not None
    ]


def per_message(fewer, more, count_fewer, count_more):
    """Returns what one message costs, from two runs that differ in nothing but their number: connecting cancels out."""
    return (more - fewer) / (count_more - count_fewer)
