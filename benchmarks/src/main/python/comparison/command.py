"""The command line, and the rounds."""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from . import counts, figures, machine, report, workloads
from .load import Load
from .machine import Missing
from .servers import JVM, NAMES, Failed, Servers, base_of, tls_of

# A small young generation, for the memory of connections: else it is the garbage of opening them that is counted. This
# variable is read after the options that the servers themselves are given.
IDLE_ENVIRONMENT = {"_JAVA_OPTIONS": "-Xmn8m"}
SETTLE_SECONDS = 0.5
QUICK_CONNECTIONS = 500

# The compiler is done when it had no more than so much of the core, in percent, so often in a row.
CALM_MAX = 2
CALM_PIECES = 3
WARMUP_PIECE_SECONDS = 2


def say(text=""):
    print(text, flush=True)


def names_in(known):
    def parse(text):
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(known)}")
        return names

    return parse


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="benchmarks/compare",
        description="Measures echo servers in turn, round by round, each on one core. benchmarks/README.md explains.",
    )
    parser.add_argument("servers", nargs="*", metavar="SERVER", help=f"which of {', '.join(NAMES)} (default: all)")
    parser.add_argument(
        "--workloads",
        type=names_in(workloads.NAMES),
        metavar="A,B",
        help=f"which of {', '.join(workloads.NAMES)} (default: all that the servers can be asked for)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each is measured, in turn (%(default)s)")
    parser.add_argument("--seconds", type=float, default=2, help="how long each time (%(default)s)")
    parser.add_argument("--warmup", type=float, default=0.5, help="seconds before each measurement (%(default)s)")
    parser.add_argument(
        "--first-warmup", type=float, default=4, help="seconds for each before the first round (%(default)s)"
    )
    parser.add_argument(
        "--first-warmup-max",
        type=float,
        default=30,
        help="for how long at most, while a just-in-time compiler is at work (%(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="one round of a moment, to see that everything works")
    parser.add_argument(
        "--counts", action="store_true", help="count system calls, bytes and instructions per message instead"
    )
    parser.add_argument("--server-core", type=int, metavar="N", help="the only core of the servers")
    parser.add_argument("--client-core", type=int, metavar="N", help="the only core of the load generator")
    parser.add_argument("--output", type=Path, default=machine.TARGET / "compare", metavar="DIR", help="%(default)s")
    parser.add_argument("--no-charts", dest="charts", action="store_false", help="write no pictures")
    options = parser.parse_args(arguments)
    for name in options.servers:
        if name not in NAMES:
            parser.error(f"there is no server '{name}': write one of {', '.join(NAMES)}")
    # Those with TLS are asked for what is measured with TLS, the others for the rest.
    kinds = {bool(tls_of(name)) for name in options.servers or NAMES}
    for workload in workloads.named(options.workloads or ()):
        if workload.tls not in kinds:
            wanted = [name for name in NAMES if bool(tls_of(name)) == workload.tls]
            parser.error(f"none of these servers is for {workload.name}: add one of {', '.join(wanted)}")
    if options.workloads is None:
        options.workloads = list(workloads.NAMES)
    if options.rounds < 1 or options.seconds <= 0:
        parser.error("there must be a round, and it must take time: --rounds 1 and --seconds 0.1, or more")
    if options.quick:
        options.rounds, options.seconds, options.warmup, options.first_warmup = 1, 0.05, 0, 0
        options.first_warmup_max = 0
    return options


def warm_up(run, seconds, seconds_max):
    """Has a server run until its compiler is done, which shares its core: else what that takes is measured too.

    Returns the most, in percent, that the compiler had in the last pieces.
    """
    recent = [run({"warmup": 0, "seconds": seconds})["compiling"]]
    spent = seconds
    while spent < seconds_max and (len(recent) < CALM_PIECES or max(recent) > CALM_MAX):
        recent = recent[1 - CALM_PIECES :]
        recent.append(run({"warmup": 0, "seconds": WARMUP_PIECE_SECONDS})["compiling"])
        spent += WARMUP_PIECE_SECONDS
    return max(recent)


class Comparison:
    def __init__(self, options, load, servers, descriptors):
        self._options = options
        self._load = load
        self._servers = servers
        self._idle_connections = min(
            QUICK_CONNECTIONS if options.quick else workloads.IDLE.arguments["connections"],
            descriptors - machine.DESCRIPTORS_SPARE,
        )
        self.measurements = {}  # By workload.
        self.failures = []
        self.unavailable = {}

    def _base(self, workload):
        names = self._servers.for_workload(workload)
        return base_of(names[0], names)

    def run(self, workload):
        """Measures each server once per round, and says what came of it."""
        self._servers.start(workload)
        if not self._servers.for_workload(workload):
            return
        if workload in (workloads.LATENCY, workloads.LATENCY_SAME_RATE):
            self._rounds(workloads.PINGPONG_64)
        self._rounds(workload)
        self._print(workload)

    def _rounds(self, workload):
        if workload.name in self.measurements:
            return
        taken = self.measurements[workload.name] = []
        out = set()
        for number in range(self._options.rounds + 1):
            for name in self._servers.for_workload(workload):
                if name in out or (number == 0 and self._options.first_warmup == 0):
                    continue
                try:
                    measured = self._measure(workload, name, first=number == 0)
                except Failed as failure:
                    out.add(name)
                    self.failures.append(f"{workload.name}: {failure}")
                    say(f"{workload.name}: {failure}")
                    continue
                if measured is None:
                    out.add(name)
                elif number > 0:
                    taken.append({"workload": workload.name, "round": number, "server": name, **measured})
        self._add_share_of_ceiling(taken)

    def _measure(self, workload, name, first):
        """Returns the figures; None where this cannot be asked of the server."""
        if workload is workloads.IDLE:
            return {} if first else self._measure_idle(name)
        timing = {"warmup": self._options.warmup, "seconds": self._options.seconds}
        if workload.load == "rate":
            most = self._most(name)
            timing["rate"] = (most if workload is workloads.LATENCY else self._most(self._base(workload))) / 2
            if timing["rate"] > 0.9 * most:
                say(f"{workload.name}: {name} is left out, its most is {most:,.0f} msg/s")
                return None
        server = self._servers.get(name, workload.mode)
        arguments = {**workload.arguments, **timing}
        if first:
            compiling = warm_up(
                lambda piece: self._load.run(server, workload.load, **{**arguments, **piece}),
                self._options.first_warmup,
                self._options.first_warmup_max if name in JVM else 0,
            )
            if compiling > CALM_MAX:
                say(f"{workload.name}: the compiler of {name} still had up to {compiling:.0f} % of its core")
            return {}
        return self._load.run(server, workload.load, **arguments)

    def _most(self, name):
        taken = self.measurements[workloads.PINGPONG_64.name]
        quiet = figures.values(filter(figures.is_quiet, taken), name, "per_second")
        found = figures.spread(quiet or figures.values(taken, name, "per_second"))
        if found is None:
            raise Failed(f"{name} has no figure for {workloads.PINGPONG_64.name}")
        return found.median

    def _measure_idle(self, name):
        """With a process of its own, since the others keep what busier workloads made them take."""
        with self._servers.fresh(name, "bytes", IDLE_ENVIRONMENT) as server:
            warmup = max(self._options.first_warmup / 2, 0.05)
            self._load.run(server, "connects", connections=64, bytes=1024, seconds=warmup)
            before = self._settled_bytes(server)
            arguments = {**workloads.IDLE.arguments, "connections": self._idle_connections}
            with self._load.idle(server, **arguments) as opened:
                after = self._settled_bytes(server)
            return {
                "connections": opened["connections"],
                "rss_before_mb": before / 1e6,
                "rss_per_connection": (after - before) / opened["connections"],
            }

    def _settled_bytes(self, server):
        server.collect_garbage()
        time.sleep(0 if self._options.quick else SETTLE_SECONDS)
        return server.resident_bytes()

    @staticmethod
    def _add_share_of_ceiling(taken):
        ceilings = {row["round"]: row.get("per_second") for row in taken if row["server"] == "c"}
        for row in taken:
            if ceilings.get(row["round"]) and row["server"] != "c":
                row["of_ceiling"] = row["per_second"] / ceilings[row["round"]]

    def _print(self, workload):
        taken = self.measurements[workload.name]
        if not taken:
            return
        names = self._servers.for_workload(workload)
        title = workload.title.format(base=self._base(workload))
        say(f"\n{workload.name}: {title}; median (range) of {self._options.rounds} rounds\n")
        say(report.workload_table(workload, taken, names))
        quiet = [row for row in taken if figures.is_quiet(row)]
        if 0 < len(quiet) < len(taken):
            say(f"\nOnly the {len(quiet)} of {len(taken)} measurements that nothing disturbed:\n")
            say(report.workload_table(workload, quiet, names))
        elif not quiet:
            say("\nAll measurements were disturbed: these say little. Unless it was by a compiler, what is per CPU second holds better.")

    def summary(self, measured=lambda workload: True):
        """Returns what the charts show, of the workloads for which that is true."""
        return [
            row
            for workload in workloads.ALL
            if measured(workload) and self.measurements.get(workload.name)
            for row in report.chart_rows(
                workload, self.measurements[workload.name], self._servers.for_workload(workload)
            )
        ]

    def print_overview(self):
        """Says what the charts show, in one table for the servers without TLS and one for those with it."""
        for tls in False, True:
            rows = self.summary(lambda workload: workload.tls == tls)
            if rows:
                names = [name for name in self._servers.names if bool(tls_of(name)) == tls]
                but = "" if tls else ", but bytes for idle"
                say(f"\nAll in all, medians; ratios to {report.bases(names)}{but}:\n")
                say(report.overview(rows, names))

    def count(self, workload):
        """Counts what a message costs each server."""
        self._servers.start(workload)
        names = self._servers.for_workload(workload)
        if not names:
            return
        quick = self._options.quick
        rows = [["server", "system calls", "by name", "bytes allocated", "instructions"]]
        taken = self.measurements[f"counts-{workload.name}"] = []
        for name in names:
            server = self._servers.get(name, workload.mode)
            if self._options.first_warmup > 0:
                self._load.run(server, "closed", **workload.arguments, seconds=self._options.first_warmup)
            row = {"workload": workload.name, "round": 1, "server": name}
            cells = [name, "-", "-", "-", "-"]
            depth = workload.arguments.get("depth", 1)
            wanted = [depth * number for number in (counts.QUICK_MESSAGES if quick else counts.COUNTED_MESSAGES)]
            traced = [depth * number for number in (counts.QUICK_MESSAGES if quick else counts.STRACE_MESSAGES)]
            try:
                calls = counts.system_calls(
                    self._load, server, workload, traced, 1 if quick else counts.REPEATS
                )
                row["system_calls"] = sum(calls.values())
                row["calls"] = ", ".join(
                    f"{call} {number:.3f}"
                    for call, number in sorted(calls.items(), key=lambda item: -item[1])
                    if number >= 0.0005
                )
                cells[1:3] = f"{row['system_calls']:.3f}", row["calls"]
            except counts.Unavailable as reason:
                self._unavailable("system calls", reason)
            try:
                row["allocated"] = counts.allocated_bytes(self._load, server, workload, wanted)
                cells[3] = f"{row['allocated']:,.1f}"
            except counts.Unavailable:
                pass
            try:
                row["instructions"] = counts.instructions(self._load, server, workload, wanted)
                cells[4] = f"{row['instructions']:,.0f}"
            except counts.Unavailable as reason:
                self._unavailable("instructions", reason)
            taken.append(row)
            rows.append(cells)
        say(f"\n{workload.name}: {workload.title}; each per message\n")
        say(report.table(rows))

    def _unavailable(self, what, reason):
        if what not in self.unavailable:
            self.unavailable[what] = str(reason)
            say(f"{what} are not counted: {reason}")


def draw(rows, folder):
    """Draws the charts, which are worth less than the numbers: where that is not possible it is said, and no more."""
    try:
        machine.build_jar()
        java = machine.find_java()
    except Missing as missing:
        say(f"There are no charts: {missing}")
        return
    command = [java, "-Djava.awt.headless=true", "-cp", machine.JAR, "dev.weir.benchmarks.Charts", rows, folder]
    if subprocess.run(command).returncode != 0:
        say("There are no charts, see above")


def write(options, comparison, servers, described):
    # Each run has a folder, so that what is in one belongs together.
    folder = options.output / time.strftime("%Y-%m-%d-%H%M%S")
    folder.mkdir(parents=True)
    for workload in workloads.ALL:
        taken = comparison.measurements.get(workload.name)
        if taken:
            report.write_csv(folder / f"{workload.name}.csv", taken)
    summary = comparison.summary()
    if summary:
        rows = folder / "charts.tsv"
        report.write_chart_rows(rows, machine.line(described), servers.about, summary)
        if options.charts:
            draw(rows, folder)
    counted = [row for name, taken in comparison.measurements.items() if name.startswith("counts-") for row in taken]
    if counted:
        report.write_csv(folder / "counts.csv", counted)
    results = {
        "machine": described,
        "options": {
            key: getattr(options, key)
            for key in ("rounds", "seconds", "warmup", "first_warmup", "first_warmup_max", "quick", "counts")
        },
        "servers": {
            name: {"about": servers.about[name], "command": servers.commands[name]} for name in servers.about
        },
        "left out": servers.left_out,
        "failures": comparison.failures,
        "unavailable": comparison.unavailable,
        "summary": summary,
        "measurements": comparison.measurements,
    }
    report.write_json(folder / "results.json", results)
    say(f"\nThe numbers are in {folder}")


def prepare_tls(load, servers):
    """Leaves out the servers with TLS where the load generator cannot have it."""
    secured = [name for name in servers.names if tls_of(name)]
    try:
        if secured:
            load.prepare_tls()
    except Missing as missing:
        for name in secured:
            servers.leave_out(name, f"the load generator {missing}")


def main(arguments):
    options = parse(arguments)
    try:
        load_core = machine.cores(options.server_core, options.client_core)
        if load_core[0] == load_core[1] and not options.quick:
            raise Missing("needs two cores, one for the servers and one for the load generator")
        descriptors = machine.raise_descriptor_limit()
        load = Load(load_core[1])
        names = options.servers or NAMES
        if JVM & set(names) and any((machine.PEERS / name).exists() for name in JVM):
            machine.build_jar()
    except Missing as missing:
        print(f"compare: {missing}", file=sys.stderr)
        return 1
    described = machine.describe()
    say(f"{machine.line(described)}, load average {described['load average at the start']:.1f}")
    say(f"servers on core {load_core[0]}, load on core {load_core[1]}, at most {descriptors} descriptors")
    if options.quick:
        say("--quick: it is seen whether everything works, the figures say nothing")
    with Servers(names, load_core[0], say) as servers:
        prepare_tls(load, servers)
        comparison = Comparison(options, load, servers, descriptors)
        try:
            if options.counts:
                for workload in workloads.COUNTED:
                    comparison.count(workload)
            else:
                for workload in workloads.named(options.workloads):
                    comparison.run(workload)
                comparison.print_overview()
        except Failed as failure:
            print(f"compare: {failure}", file=sys.stderr)
            comparison.failures.append(str(failure))
        finally:
            write(options, comparison, servers, described)  # What was measured by then counts.
    if not any(comparison.measurements.values()):
        print("compare: nothing was measured", file=sys.stderr)
        return 1
    return 1 if comparison.failures else 0
