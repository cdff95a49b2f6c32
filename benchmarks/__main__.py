"""Measure what README claims, in one run, on this machine."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulator import supervisor
from simulator.binaries import REPOSITORY, locate
from simulator.environment import simulator_variables
from simulator.home import VARIABLE, Home

STACK = "gemma4-31b-h100"
ROUNDS = 9
_MAKE = ["make", "--no-print-directory", "-C", str(REPOSITORY)]


def main() -> None:
    """Print the table."""
    print(f"Machine: {_machine()}\n")
    print("| what | median | range | rounds |")
    print("| --- | --- | --- | --- |")
    _row("`servestack plan X`, whole process", _times(_plan, 21))
    with tempfile.TemporaryDirectory() as scratch, _environment(Path(scratch)) as environment:
        cycles = []
        for _ in range(3):
            began = time.monotonic()
            _run([*_MAKE, "up", f"STACK={STACK}"], environment)
            cycles.append(time.monotonic() - began)
            _run([*_MAKE, "down"], environment)
        _row("warm `make up`, simulator down, to Ready", cycles)
        _run([*_MAKE, "up", f"STACK={STACK}"], environment)
        ours, trivial = _previews(Path(scratch), environment)
        _row(f"preview of {STACK} with no change", ours)
        _row("preview of a program with 13 trivial resources", trivial)
        ratio = statistics.median(ours) / statistics.median(trivial)
        print(f"| ratio of the two previews, alternating | {ratio:.2f} | | {ROUNDS} |")
        _run([*_MAKE, "down"], environment)


@contextmanager
def _environment(scratch: Path) -> Iterator[dict[str, str]]:
    yield dict(os.environ) | {VARIABLE: str(scratch / "home"), "NO_COLOR": "1"}


def _plan() -> None:
    _run([str(REPOSITORY / ".venv" / "bin" / "servestack"), "plan", STACK], dict(os.environ))


def _previews(scratch: Path, environment: dict[str, str]) -> tuple[list[float], list[float]]:
    """Times of both previews, taken in turn so that the machine's mood is the same for both."""
    home = Home(Path(environment[VARIABLE]))
    binaries = locate()
    running = supervisor.start(home, binaries)
    variables = environment | simulator_variables(home, binaries, running.ports)
    program = scratch / "trivial"
    shutil.copytree(REPOSITORY / "benchmarks" / "trivial_program", program)
    _run(["pulumi", "stack", "select", "-c", "trivial"], variables, program)
    _run(["pulumi", "up", "--yes", "-s", "trivial"], variables, program)

    def preview(stack: str, folder: Path) -> Callable[[], None]:
        return lambda: _run(["pulumi", "preview", "--expect-no-changes", "-s", stack], variables, folder)

    ours, trivial = [], []
    for _ in range(ROUNDS):
        ours += _times(preview(STACK, home.root / "workspace"), 1)
        trivial += _times(preview("trivial", program), 1)
    _run(["pulumi", "destroy", "--yes", "--remove", "-s", "trivial"], variables, program)
    return ours, trivial


def _times(action: Callable[[], None], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        action()
        times.append(time.monotonic() - began)
    return times


def _run(command: list[str], environment: dict[str, str], folder: Path = REPOSITORY) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def _row(what: str, seconds: list[float]) -> None:
    spread = f"{min(seconds):.2f} to {max(seconds):.2f} s"
    print(f"| {what} | {statistics.median(seconds):.2f} s | {spread} | {len(seconds)} |", flush=True)


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = models[0].partition(":")[2].strip() if models else platform.machine()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {name}, {memory_gib:.0f} GiB, Python {platform.python_version()}, {platform.system()}"


if __name__ == "__main__":
    main()
