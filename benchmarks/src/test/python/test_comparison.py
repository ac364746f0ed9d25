"""What the comparison computes, without measuring anything."""

import contextlib
import io
import os
import random
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(BENCHMARKS / "src/main/python"))

from comparison import command, counts, figures, machine, report, servers, workloads  # noqa: E402


def row(number, server, **more):
    return {"round": number, "server": server, **more}


class FiguresTest(unittest.TestCase):
    def test_the_median_of_an_even_number_is_between_the_middle_two(self):
        self.assertEqual(figures.spread([4, 1, 3, 2]), (2.5, 1, 4))

    def test_there_is_no_spread_of_nothing(self):
        self.assertIsNone(figures.spread([]))

    def test_ratios_are_to_the_base_of_the_same_round(self):
        taken = [row(1, "netty", rate=10), row(1, "go", rate=5), row(2, "netty", rate=100), row(2, "go", rate=90)]

        self.assertEqual(figures.ratios(taken, "go", "netty", "rate"), [0.5, 0.9])

    def test_a_round_without_the_base_has_no_ratio(self):
        taken = [row(1, "netty", rate=10), row(1, "go", rate=5), row(2, "go", rate=7)]

        self.assertEqual(figures.ratios(taken, "go", "netty", "rate"), [0.5])

    def test_differences_are_from_the_base_of_the_same_round(self):
        taken = [row(1, "netty", bytes=3000), row(1, "go", bytes=15000)]

        self.assertEqual(figures.differences(taken, "go", "netty", "bytes"), [12000])

    def test_a_measurement_is_disturbed_by_others_on_either_core(self):
        self.assertTrue(figures.is_quiet(row(1, "go", server_core_others=2, client_core_others=9)))
        self.assertFalse(figures.is_quiet(row(1, "go", server_core_others=11, client_core_others=0)))
        self.assertFalse(figures.is_quiet(row(1, "go", server_core_others=0, client_core_others=40)))

    def test_latency_is_disturbed_by_less_and_where_the_generator_was_late(self):
        calm = {"server_core_others": 1, "client_core_others": 1, "late_p99_us": 50}

        self.assertTrue(figures.is_quiet(row(1, "go", **calm)))
        self.assertFalse(figures.is_quiet(row(1, "go", **{**calm, "server_core_others": 8})))
        self.assertFalse(figures.is_quiet(row(1, "go", **{**calm, "late_p99_us": 4000})))

    def test_a_measurement_is_disturbed_by_the_servers_own_compiler(self):
        self.assertTrue(figures.is_quiet(row(1, "netty", compiling=3)))
        self.assertFalse(figures.is_quiet(row(1, "netty", compiling=6)))

    def test_the_cost_of_a_message_leaves_out_what_both_runs_have(self):
        self.assertEqual(figures.per_message(350 + 2 * 1000, 350 + 2 * 3000, 1000, 3000), 2)


class CountsTest(unittest.TestCase):
    def test_calls_are_read_from_the_table_of_strace_with_errors_or_without(self):
        table = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 50.00    0.001000           1      4100       100 recvfrom
 50.00    0.001000           1      4000           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.002000           1      8100       100 total
"""
        self.assertEqual(counts.parse_strace(table), {"recvfrom": 4100, "sendto": 4000})

    def test_a_table_of_strace_without_calls_is_empty(self):
        self.assertEqual(counts.parse_strace(""), {})

    def test_instructions_are_read_from_the_table_of_perf(self):
        self.assertEqual(counts.parse_perf("# started\n\n12345,,instructions:u,1000,100.00,,\n"), 12345)

    def test_what_perf_does_not_count_is_said(self):
        with self.assertRaisesRegex(counts.Unavailable, "not supported"):
            counts.parse_perf("<not supported>,,instructions:u,0,100.00,,\n")


class ReportTest(unittest.TestCase):
    TAKEN = [
        row(1, "netty", per_second=100_000.0, server_cpu=99.0),
        row(1, "mounted", per_second=90_000.0, server_cpu=99.0),
        row(2, "netty", per_second=50_000.0, server_cpu=98.0),
        row(2, "mounted", per_second=50_000.0, server_cpu=97.0),
    ]

    def test_a_table_has_medians_with_ranges_and_only_columns_that_were_measured(self):
        text = report.workload_table(workloads.PINGPONG_64, self.TAKEN, ["netty", "mounted", "go"])

        self.assertEqual(
            text.splitlines(),
            [
                "| server  |                      msg/s |           netty = 1 | server % |",
                "|---------|---------------------------:|--------------------:|---------:|",
                "| netty   | 75,000 (50,000 to 100,000) |                1.00 |       98 |",
                "| mounted |  70,000 (50,000 to 90,000) | 0.95 (0.90 to 1.00) |       98 |",
            ],
        )

    def test_a_chart_has_a_row_for_each_server_that_was_measured(self):
        rows = report.chart_rows(workloads.PINGPONG_64, self.TAKEN, ["netty", "mounted", "go"])

        self.assertEqual(
            [(r["server"], r["median"], r["low"], r["high"]) for r in rows],
            [("netty", 1, 1, 1), ("mounted", 0.95, 0.9, 1)],
        )


    def test_the_overview_has_a_column_for_each_workload(self):
        rows = report.chart_rows(workloads.PINGPONG_64, self.TAKEN, ["netty", "mounted"])
        idle = [row(1, "netty", rss_per_connection=2100.0)]
        rows += report.chart_rows(workloads.IDLE, idle, ["netty", "mounted"])

        self.assertEqual(
            report.overview(rows, ["netty", "mounted"]).splitlines()[2:],
            ["| netty   |        1.00 | 2,100 |", "| mounted |        0.95 |     - |"],
        )

    def test_charts_get_a_line_for_each_bar(self):
        rows = report.chart_rows(workloads.PINGPONG_64, self.TAKEN, ["netty", "mounted"])
        with tempfile.NamedTemporaryFile("r") as file:
            report.write_chart_rows(file.name, "a machine", {"mounted": "Weir, 1.0"}, rows)
            machine_line, head, _, bar = file.read().splitlines()

        self.assertEqual(machine_line, "a machine")
        self.assertEqual(dict(zip(head.split("\t"), bar.split("\t")))["about"], "Weir, 1.0")


class TlsReportTest(unittest.TestCase):
    NAMES = ["netty-tls", "mounted-tls", "netty-tls-boringssl", "mounted-tls-boringssl"]
    TAKEN = [
        row(1, "netty-tls", per_second=100.0),
        row(1, "mounted-tls", per_second=80.0),
        row(1, "netty-tls-boringssl", per_second=200.0),
        row(1, "mounted-tls-boringssl", per_second=180.0),
    ]

    def test_each_is_compared_with_raw_netty_on_the_same_engine(self):
        text = report.workload_table(workloads.TLS_PINGPONG_64, self.TAKEN, self.NAMES)

        self.assertEqual(
            text.splitlines(),
            [
                "| server                | msg/s | netty, same engine = 1 |",
                "|-----------------------|------:|-----------------------:|",
                "| netty-tls             |   100 |                   1.00 |",
                "| mounted-tls           |    80 |                   0.80 |",
                "| netty-tls-boringssl   |   200 |                   1.00 |",
                "| mounted-tls-boringssl |   180 |                   0.90 |",
            ],
        )

    def test_a_bar_of_a_chart_has_the_same_ratio(self):
        rows = report.chart_rows(workloads.TLS_PINGPONG_64, self.TAKEN, self.NAMES)

        self.assertEqual([r["median"] for r in rows], [1, 0.8, 1, 0.9])
        self.assertTrue(rows[0]["figure"].endswith("= 1"))

    def test_where_one_engine_is_measured_the_base_is_named(self):
        self.assertEqual(report.bases(["netty-tls", "mounted-tls"]), "netty-tls")

    def test_without_raw_netty_the_first_with_the_same_engine_is_the_base(self):
        names = ["netty-tls", "transfer-tls-boringssl", "mounted-tls-boringssl"]

        self.assertEqual(servers.base_of("mounted-tls-boringssl", names), "transfer-tls-boringssl")


class CommandTest(unittest.TestCase):
    def test_latency_is_measured_at_two_rates(self):
        names = [workload.name for workload in workloads.named(["latency", "pingpong-1"])]

        self.assertEqual(names, ["pingpong-1", "latency", "latency-same-rate"])

    def test_servers_and_workloads_can_be_chosen(self):
        options = command.parse(["--workloads", "lines,idle", "--rounds", "3", "netty", "go"])

        self.assertEqual((options.workloads, options.rounds, options.servers), (["lines", "idle"], 3, ["netty", "go"]))

    def test_all_workloads_are_measured_where_none_is_chosen(self):
        self.assertEqual(command.parse(["netty"]).workloads, list(workloads.NAMES))

    def test_a_workload_that_no_server_is_for_is_refused(self):
        for arguments, wanted in (
            (["--workloads", "tls-large", "netty", "go"], "tls-large: add one of netty-tls"),
            (["--workloads", "lines", "netty-tls"], "lines: add one of c"),
        ):
            said = io.StringIO()
            with contextlib.redirect_stderr(said), self.assertRaises(SystemExit):
                command.parse(arguments)

            self.assertIn(wanted, said.getvalue())

    def test_where_the_load_generator_has_no_tls_only_the_servers_with_it_are_left_out(self):
        class WithoutTls:
            def prepare_tls(self):
                raise machine.Missing("needs OpenSSL")

        said = []
        chosen = servers.Servers(["netty", "netty-tls", "mounted-tls-boringssl"], 0, said.append)

        command.prepare_tls(WithoutTls(), chosen)

        self.assertEqual(chosen.names, ["netty"])
        self.assertIn("netty-tls is left out: the load generator needs OpenSSL", said)

    def test_a_server_is_warm_when_its_compiler_has_rested_for_three_pieces(self):
        shares = iter([50, 30, 1, 0, 9, 1, 2, 0, 44])
        pieces = []

        def run(piece):
            pieces.append(piece["seconds"])
            return {"compiling": next(shares)}

        self.assertEqual(command.warm_up(run, 4, 60), 2)
        self.assertEqual(pieces, [4, 2, 2, 2, 2, 2, 2, 2])

    def test_a_compiler_that_does_not_rest_is_waited_for_until_the_time_is_over(self):
        pieces = []

        def run(piece):
            pieces.append(piece["seconds"])
            return {"compiling": 40}

        self.assertEqual(command.warm_up(run, 4, 9), 40)
        self.assertEqual(pieces, [4, 2, 2, 2])

    def test_the_share_of_the_ceiling_is_of_the_same_round(self):
        taken = [row(1, "c", per_second=200), row(1, "go", per_second=50), row(2, "go", per_second=60)]

        command.Comparison._add_share_of_ceiling(taken)

        self.assertEqual([r.get("of_ceiling") for r in taken], [None, 0.25, None])

    def test_the_core_of_the_load_is_another_one_where_there_is_one(self):
        server, client = machine.cores(None, None)

        self.assertEqual(server != client, os.cpu_count() > 1 and len(os.sched_getaffinity(0)) > 1)


class ServersTest(unittest.TestCase):
    """Servers that are shell scripts."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(setattr, servers, "PEERS", servers.PEERS)
        servers.PEERS = Path(folder.name)
        self.core = min(os.sched_getaffinity(0))

    def script(self, name, *lines):
        file = servers.PEERS / name
        file.write_text("\n".join(["#!/bin/sh", *lines, ""]))
        file.chmod(0o755)

    def test_what_a_server_says_of_itself_is_its_port_and_more(self):
        self.script("go", 'echo "4711 Go, $1"', "exec cat")

        with servers.Server("go", "lines", self.core) as server:
            self.assertEqual((server.port, server.about), (4711, "Go, lines"))

    def test_a_server_without_its_toolchain_is_left_out_with_its_reason(self):
        self.script("go", "echo there is no go >&2", "exit 3")
        self.script("tokio", "echo 4711 Tokio", "exec cat")
        said = []

        with servers.Servers(["go", "tokio", "netty"], self.core, said.append) as running:
            running.start(workloads.PINGPONG_64)

            self.assertEqual(running.names, ["tokio"])
            self.assertEqual(running.left_out["go"], "there is no go")
            self.assertIn("there is no", running.left_out["netty"])
        self.assertIn("go is left out: there is no go", said)

    def test_a_server_is_started_for_what_it_can_be_asked_for(self):
        self.script("netty", "echo 4711 Netty", "exec cat")
        self.script("netty-tls", "echo 4712 Netty, TLS", "exec cat")

        with servers.Servers(["netty", "netty-tls"], self.core, lambda text: None) as running:
            running.start(workloads.TLS_PINGPONG_64)

            self.assertEqual(list(running.about), ["netty-tls"])
            self.assertTrue(running.get("netty-tls", "bytes").tls)
            self.assertEqual(running.for_workload(workloads.LINES), ["netty"])

    def test_a_server_that_does_not_start_is_a_failure_with_what_it_said(self):
        self.script("go", "echo no such thing >&2", "exit 1")

        with self.assertRaisesRegex(servers.Failed, "status 1: no such thing"):
            servers.Server("go", "bytes", self.core)

    def test_a_server_that_is_not_the_process_that_was_started_is_a_failure(self):
        self.script("go", "sleep 20 & echo 4711 Go", "cat", "kill $!")

        with self.assertRaisesRegex(servers.Failed, "must exec"):
            servers.Server("go", "bytes", self.core)

    def test_a_jvm_says_what_it_has_allocated_and_others_do_not(self):
        self.script("netty", "echo 4711 Netty", "read line", "echo $line 1234", "exec cat")
        self.script("go", "echo 4711 Go", "exec cat")

        with servers.Server("netty", "bytes", self.core) as netty, servers.Server("go", "bytes", self.core) as go:
            self.assertEqual((netty.allocated(), go.allocated()), (1234, None))

    def test_a_jvm_has_threads_that_compile_and_others_do_not(self):
        compiles = "echo C2 CompilerThre > /proc/$$/comm"
        self.script("netty", compiles, "echo 4711 Netty", "read line")
        self.script("go", compiles, "echo 4711 Go", "read line")

        with servers.Server("netty", "bytes", self.core) as netty, servers.Server("go", "bytes", self.core) as go:
            self.assertEqual(list(netty.compiling_seconds()), [str(netty.pid)])
            self.assertGreater(netty.compiling_seconds()[str(netty.pid)], 0)
            self.assertEqual(go.compiling_seconds(), {})


class LoadTest(unittest.TestCase):
    """The load generator, as far as no clock is involved."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.program = machine.build_c("load")
        except machine.Missing as missing:
            raise unittest.SkipTest(str(missing)) from None

    def percentiles(self, values):
        said = subprocess.run(
            [self.program, "percentiles"],
            input="\n".join(map(str, values)),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return {key: float(value) for key, value in (pair.split("=") for pair in said.split())}

    def test_small_values_are_exact(self):
        said = self.percentiles(range(1, 101))

        self.assertEqual((said["count"], said["p50"], said["p90"], said["p99"], said["max"]), (100, 50, 90, 99, 100))

    def test_percentiles_have_two_significant_digits_whatever_the_size(self):
        source = random.Random(7)
        values = sorted(int(10 ** source.uniform(1, 11)) for _ in range(20_000))

        said = self.percentiles(values)

        for key, share in ("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999):
            exact = values[int(share * len(values)) - 1]
            self.assertAlmostEqual(said[key] / exact, 1, delta=0.008, msg=key)
        self.assertEqual(said["max"], values[-1])

    def test_one_slow_answer_in_a_thousand_is_beyond_the_last_percentile_but_not_beyond_the_maximum(self):
        said = self.percentiles([10] * 999 + [1_000_000])

        self.assertEqual((said["p999"], said["max"]), (10, 1_000_000))

    def test_a_single_value_is_every_percentile(self):
        said = self.percentiles([123_456_789])

        self.assertEqual((said["p50"], said["p999"]), (said["p99"], said["max"]))

    def test_the_ceiling_answers_every_message(self):
        cores = sorted(os.sched_getaffinity(0))
        with servers.Server("c", "bytes", cores[0]) as server:
            for arguments in (
                ["connections=3", "bytes=1024"],
                ["connections=2", "bytes=64", "depth=16"],
                ["connections=2", "bytes=102400"],
            ):
                said = self.load(server, "closed", "messages=500", *arguments)

                self.assertIn("messages=500 ", said.stdout)
                self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_a_wrong_echo_ends_the_run(self):
        with WrongServer() as server:
            said = self.load(server, "closed", "messages=100", "bytes=8")

            self.assertEqual(said.returncode, 1)
            self.assertIn("something else", said.stderr)

    def load(self, server, *arguments):
        command_line = [self.program, arguments[0], f"port={server.port}", *arguments[1:]]
        return subprocess.run(command_line, capture_output=True, text=True)


class TlsLoadTest(unittest.TestCase):
    """The load generator with TLS."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.program = machine.build_c("load", tls=True)
        except machine.Missing as missing:
            raise unittest.SkipTest(str(missing)) from None
        if shutil.which("openssl") is None:
            raise unittest.SkipTest("there is no openssl to make a certificate with")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.key, cls.certificate = (Path(folder.name) / name for name in ("key.pem", "certificate.pem"))
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
            + ["-subj", "/CN=localhost", "-keyout", cls.key, "-out", cls.certificate],
            capture_output=True,
            check=True,
        )

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def test_every_message_is_answered_small_ones_and_those_of_many_records(self):
        with TlsServer(self.context()) as server:
            for arguments in (["bytes=1024"], ["bytes=64", "depth=16"], ["bytes=1048576"]):
                said = self.load(server, "closed", "messages=40", *arguments)

                self.assertIn("messages=40 ", said.stdout)
                self.assertEqual((said.returncode, said.stderr), (0, ""))

    def test_connections_begin_and_end_with_tls_each_time(self):
        with TlsServer(self.context()) as server:
            said = self.load(server, "connects", "bytes=64", "seconds=0.05")

            self.assertEqual((said.returncode, said.stderr), (0, ""))
            self.assertEqual(server.broken, [])

    def test_a_wrong_echo_ends_the_run(self):
        with TlsServer(self.context(), lambda data: data.swapcase()) as server:
            said = self.load(server, "closed", "messages=100", "bytes=8")

            self.assertEqual(said.returncode, 1)
            self.assertIn("something else", said.stderr)

    def test_more_than_was_sent_ends_the_run(self):
        with TlsServer(self.context(), lambda data: data + data) as server:
            said = self.load(server, "closed", "messages=100", "bytes=8")

            self.assertEqual(said.returncode, 1)
            self.assertIn("more than it was sent", said.stderr)

    def test_another_version_is_not_measured(self):
        context = self.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with TlsServer(context) as server:
            said = self.load(server, "closed", "messages=1")

            self.assertEqual(said.returncode, 1)
            self.assertIn("no handshake with TLSv1.3 and TLS_AES_128_GCM_SHA256", said.stderr)
            self.assertEqual(said.stdout, "")

    def test_a_server_without_tls_is_not_measured(self):
        with WrongServer() as server:
            said = self.load(server, "closed", "messages=1")

            self.assertEqual(said.returncode, 1)
            self.assertIn("no handshake with TLSv1.3", said.stderr)

    def test_the_program_without_tls_says_so(self):
        program = machine.build_c("load")

        said = subprocess.run([program, "closed", "port=1", "tls=1"], capture_output=True, text=True)

        self.assertEqual(said.returncode, 1)
        self.assertIn("compiled without TLS", said.stderr)

    def load(self, server, *arguments):
        command_line = [self.program, arguments[0], "tls=1", f"port={server.port}", *arguments[1:]]
        return subprocess.run(command_line, capture_output=True, text=True, timeout=30)


class TlsServer:
    """Sends back what came, changed or not, on one connection after another."""

    def __init__(self, context, change=lambda data: data):
        self._context = context
        self._change = change
        self.broken = []

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # Closed: the test is over.
            try:
                with connection, self._context.wrap_socket(
                    connection, server_side=True, suppress_ragged_eofs=False
                ) as secured:
                    while data := secured.recv(65536):
                        secured.sendall(self._change(data))
            except OSError as error:
                self.broken.append(error)

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # Which close alone does not do to a thread in accept.
        self._listener.close()
        self._thread.join(5)


class WrongServer:
    """Sends back as many bytes as came, but others."""

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def _serve(self):
        connection, _ = self._listener.accept()
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(1024):
                connection.sendall(data.swapcase())

    def __exit__(self, *_):
        self._listener.close()
        self._thread.join(5)


if __name__ == "__main__":
    unittest.main()
