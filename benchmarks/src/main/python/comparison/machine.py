"""Where things are, and what they run on."""

import contextlib
import datetime
import os
import platform
import resource
import shutil
import subprocess
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[4]
ROOT = BENCHMARKS.parent
TARGET = BENCHMARKS / "target"
JAR = TARGET / "benchmarks.jar"
PEERS = BENCHMARKS / "src/main/peers"
C_SOURCES = BENCHMARKS / "src/main/c"

DESCRIPTORS_WANTED = 32_768
DESCRIPTORS_SPARE = 128  # For all that is not a connection: a JVM's jars, epoll, pipes.


class Missing(Exception):
    """Something is not there: its text says what."""


def _has_header(name):
    found = subprocess.run(["gcc", "-E", "-"], input=f"#include <{name}>\n", capture_output=True, text=True)
    return found.returncode == 0


def build_c(name, tls=False):
    """Compiles a C program of the benchmarks unless that is done, and returns its path.

    With TLS it is another program: the one without needs no OpenSSL, and is the same whether or not there is one.
    """
    program = TARGET / (f"{name}-tls" if tls else name)
    sources = [C_SOURCES / f"{name}.c", *C_SOURCES.glob("*.h")]
    if not program.exists() or any(source.stat().st_mtime > program.stat().st_mtime for source in sources):
        if shutil.which("gcc") is None:
            raise Missing("needs gcc")
        if tls and not _has_header("openssl/ssl.h"):
            raise Missing("needs OpenSSL to compile with: benchmarks/install-peers installs libssl-dev")
        TARGET.mkdir(exist_ok=True)
        with_tls = ["-DWITH_TLS", "-lssl", "-lcrypto"] if tls else []
        subprocess.run(["gcc", "-O2", "-Wall", "-Wextra", "-o", program, sources[0], *with_tls], check=True)
    return program


def _jar_sources():
    yield ROOT / "pom.xml"
    for module in ("toolkit-core", "toolkit-netty", "benchmarks"):
        yield ROOT / module / "pom.xml"
        for folder in ("java", "resources"):
            yield from (path for path in (ROOT / module / "src/main" / folder).rglob("*") if path.is_file())


def build_jar():
    """Builds the benchmarks' jar unless it is newer than all that is in it: figures must not be of another commit."""
    if JAR.exists() and all(source.stat().st_mtime <= JAR.stat().st_mtime for source in _jar_sources()):
        return
    if shutil.which("mvn") is None:
        raise Missing(f"{JAR} is not built or out of date, and there is no Maven (mvn) to build it")
    command = ["mvn", "-q", "-pl", "benchmarks", "-am", "package", "-Dmaven.test.skip=true"]
    if subprocess.run(command, cwd=ROOT, stdout=2).returncode != 0:
        raise Missing("the jar could not be built, see above")


def raise_descriptor_limit():
    """Raises the limit as far as it goes, for this process and those it starts. Returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (max(hard, DESCRIPTORS_WANTED), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(limit, DESCRIPTORS_WANTED), limit))
            break
        except (ValueError, OSError):
            continue  # Only root may raise the hard limit, and not everywhere.
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def cores(server_core, client_core):
    """Returns the two cores: those asked for, else the first two, if possible not threads of one processor."""
    available = sorted(os.sched_getaffinity(0))
    server = available[0] if server_core is None else server_core
    others = [core for core in available if core != server] or available
    apart = [core for core in others if core not in _siblings(server)] or others
    return server, apart[0] if client_core is None else client_core


def _siblings(core):
    """Returns the cores that are threads of the same processor."""
    siblings = set()
    with contextlib.suppress(OSError, ValueError):
        text = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read_text()
        for part in text.strip().split(","):
            first, _, last = part.partition("-")
            siblings.update(range(int(first), int(last or first) + 1))
    return siblings


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    except (OSError, subprocess.CalledProcessError):
        return None
    return (done.stdout or done.stderr).splitlines()[0] if done.stdout or done.stderr else ""


def _processor():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    virtual = any(line.startswith("flags") and " hypervisor" in line for line in lines)
    return model + (", virtual machine" if virtual else "")


def find_java():
    found = subprocess.run(
        [ROOT / "build/find-java"], capture_output=True, text=True, env={**os.environ, "CALLER": "compare"}
    )
    if found.returncode != 0:
        raise Missing(found.stderr.strip())
    return found.stdout.strip()


def _java_version():
    try:
        said = subprocess.run([find_java(), "-version"], capture_output=True, text=True).stderr.splitlines()
    except Missing:
        return None
    # For instance: OpenJDK Runtime Environment Temurin-25.0.3+9 (build 25.0.3+9-LTS)
    return said[1].split(" (build")[0].replace("OpenJDK Runtime Environment", "").strip() if len(said) > 1 else None


def describe():
    """Returns what belongs on every table and picture."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "java": _java_version(),
        "commit": _first_line("git", "describe", "--always", "--dirty"),
        "load average at the start": os.getloadavg()[0],
    }


def line(described):
    """Returns it in one line."""
    parts = [
        described["date"],
        f"{described['processor']}, {described['cores']} cores",
        described["system"],
        described["java"],
        described["commit"] and f"commit {described['commit']}",
    ]
    return ", ".join(part for part in parts if part)
