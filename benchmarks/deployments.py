"""What a deployment on the simulated GKE takes: `make up`, and a preview against two yardsticks."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.resources import resources
from benchmarks.table import STACK, in_turn, ratio_row, row, run, times
from simulator import supervisor
from simulator.binaries import REPOSITORY, locate
from simulator.environment import simulator_variables
from simulator.home import VARIABLE, Home

ROUNDS = 9
_YARDSTICKS = {"bare": "bare components", "configmap": "ConfigMaps of the same provider"}
_MAKE = ["make", "--no-print-directory", "-C", str(REPOSITORY)]


def measure() -> None:
    """Print the rows."""
    count = resources(STACK)
    with tempfile.TemporaryDirectory() as scratch:
        environment = dict(os.environ) | {VARIABLE: str(Path(scratch) / "home"), "NO_COLOR": "1"}
        cycles = []
        for _ in range(3):
            cycles += times(lambda: run([*_MAKE, "up", f"STACK={STACK}"], environment), 1)
            run([*_MAKE, "down"], environment)
        row("warm `make up`, simulator down, to Ready", cycles)
        run([*_MAKE, "up", f"STACK={STACK}"], environment)
        taken = _previews(Path(scratch), environment)
        row(f"preview of {STACK} with no change, {count} resources", taken[STACK])
        for name, what in _YARDSTICKS.items():
            row(f"preview of {count} {what}", taken[name])
            medians = statistics.median(taken[STACK]), statistics.median(taken[name])
            ratio_row(f"ratio to {count} {what}", *medians, ROUNDS)
        run([*_MAKE, "down"], environment)


def _previews(scratch: Path, environment: dict[str, str]) -> dict[str, list[float]]:
    """Times of the endpoint's preview and both yardsticks'."""
    home = Home(Path(environment[VARIABLE]))
    binaries = locate()
    running = supervisor.start(home, binaries)
    variables = environment | simulator_variables(home, binaries, running.ports) | {"RESOURCES": str(resources(STACK))}
    folders = {STACK: home.root / "workspace"}
    for name in _YARDSTICKS:
        folders[name] = scratch / name
        shutil.copytree(REPOSITORY / "benchmarks" / f"{name}_program", folders[name])
        run(["pulumi", "stack", "select", "-c", name], variables, folders[name])
        run(["pulumi", "up", "--yes", "-s", name], variables, folders[name])

    def preview(stack: str) -> Callable[[], object]:
        command = ["pulumi", "preview", "--expect-no-changes", "-s", stack]
        return lambda: run(command, variables, folders[stack])

    taken = in_turn({name: preview(name) for name in folders}, ROUNDS)
    for name in _YARDSTICKS:
        run(["pulumi", "destroy", "--yes", "--remove", "-s", name], variables, folders[name])
    return taken
