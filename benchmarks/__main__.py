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
_YARDSTICKS = {"bare": "bare components", "configmap": "ConfigMaps of the same provider"}
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
        times = _previews(Path(scratch), environment)
        _row(f"preview of {STACK} with no change, 13 resources", times[STACK])
        for name, what in _YARDSTICKS.items():
            _row(f"preview of 13 {what}", times[name])
            ratio = statistics.median(times[STACK]) / statistics.median(times[name])
            print(f"| ratio to 13 {what} | {ratio:.2f} | | {ROUNDS} |")
        _run([*_MAKE, "down"], environment)


@contextmanager
def _environment(scratch: Path) -> Iterator[dict[str, str]]:
    yield dict(os.environ) | {VARIABLE: str(scratch / "home"), "NO_COLOR": "1"}


def _plan() -> None:
    _run([str(REPOSITORY / ".venv" / "bin" / "servestack"), "plan", STACK], dict(os.environ))


def _previews(scratch: Path, environment: dict[str, str]) -> dict[str, list[float]]:
    """Times of the endpoint's preview and both yardsticks', in turn, so that the machine's mood is the same for all."""
    home = Home(Path(environment[VARIABLE]))
    binaries = locate()
    running = supervisor.start(home, binaries)
    variables = environment | simulator_variables(home, binaries, running.ports)
    folders = {STACK: home.root / "workspace"}
    for name in _YARDSTICKS:
        folders[name] = scratch / name
        shutil.copytree(REPOSITORY / "benchmarks" / f"{name}_program", folders[name])
        _run(["pulumi", "stack", "select", "-c", name], variables, folders[name])
        _run(["pulumi", "up", "--yes", "-s", name], variables, folders[name])

    def preview(stack: str) -> Callable[[], None]:
        command = ["pulumi", "preview", "--expect-no-changes", "-s", stack]
        return lambda: _run(command, variables, folders[stack])

    times: dict[str, list[float]] = {name: [] for name in folders}
    for _ in range(ROUNDS):
        for name in folders:
            times[name] += _times(preview(name), 1)
    for name in _YARDSTICKS:
        _run(["pulumi", "destroy", "--yes", "--remove", "-s", name], variables, folders[name])
    return times


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
