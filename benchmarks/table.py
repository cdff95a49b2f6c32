"""Timing a command, and one row of the table."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from simulator.binaries import REPOSITORY

STACK = "gemma4-31b-h100"
"""The stack that is measured where one is enough."""


def heading() -> None:
    """Print the machine and the head of the table."""
    print(f"Machine: {_machine()}\n")
    print("| what | median | range | rounds |")
    print("| --- | --- | --- | --- |")


def row(what: str, seconds: Sequence[float]) -> None:
    """Print what was measured."""
    median, least, most = (_number(one) for one in (statistics.median(seconds), min(seconds), max(seconds)))
    print(f"| {what} | {median} s | {least} to {most} s | {len(seconds)} |", flush=True)


def ratio_row(what: str, above: float, below: float, rounds: int) -> None:
    """Print how many times one median is the other."""
    print(f"| {what} | {above / below:.2f} | | {rounds} |", flush=True)


def times(action: Callable[[], object], rounds: int) -> list[float]:
    """Seconds of each of several rounds."""
    taken = []
    for _ in range(rounds):
        began = time.monotonic()
        action()
        taken.append(time.monotonic() - began)
    return taken


def in_turn(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of several actions, one after the other in each round, so that the machine's mood is the same for all."""
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            taken[name] += times(action, 1)
    return taken


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path = REPOSITORY) -> str:
    """Output of a command; a failed one ends the measuring with its words."""
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _number(seconds: float) -> str:
    return f"{seconds:.2f}" if seconds >= 0.1 else f"{seconds:.3f}"


def _machine() -> str:
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = models[0].partition(":")[2].strip() if models else platform.machine()
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = f"load {os.getloadavg()[0]:.2f} before"
    python = f"Python {platform.python_version()}"
    return f"{os.cpu_count()} x {name}, {memory_gib:.0f} GiB, {python}, {platform.system()}, {load}"
