"""Runs the scenarios of a section in CPython's asyncio and prints what each of them traces.

usage: python3 scenarios.py SECTION

A section is a module beside this one: functions marked @scenario. An async one is the main coroutine of a run of its own;
a plain one starts loops by itself. The same scenarios are written for Weir in dev.weir.traces; the test there compares the
traces line by line. What this prints for the newest Python is kept in recorded/, for machines that have none.
"""

import asyncio
import importlib
import inspect
import logging
import sys

_scenarios = []


def scenario(since=(3, 11)):
    """Marks a function whose trace is the same in every Python from this version on."""

    def mark(function):
        _scenarios.append((function, since))
        return function

    return mark


def trace(*words):
    """Adds a line to the trace of the scenario."""
    print(*("yes" if word is True else "no" if word is False else word for word in words))


async def rounds(count):
    """Lets rounds of the loop pass."""
    for _ in range(count):
        await asyncio.sleep(0)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    logging.disable(logging.CRITICAL)  # What is reported is traced where it matters.
    importlib.import_module(sys.argv[1])
    print(f"-- CPython {sys.version.split()[0]}")
    for function, since in _scenarios:
        least = ".".join(map(str, since))
        print(f"== {function.__name__} since {least}")
        if sys.version_info < since:
            continue
        if inspect.iscoroutinefunction(function):
            asyncio.run(function())
        else:
            function()


if __name__ == "__main__":
    sys.modules["scenarios"] = sys.modules["__main__"]
    main()
