"""Ours beside `helm template` and `kustomize build`: the same kinds of objects, one stack and a thousand."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fleet import STACKS, command, servestack
from benchmarks.table import STACK, in_turn, ratio_row, row, run, times
from benchmarks.yardstick_programs import programs

ROUNDS = 21
_HERE = Path(__file__).resolve().parent
_OURS = "`servestack render X`"


def measure() -> None:
    """Print the rows."""
    commands = {_OURS: [servestack(), "render", STACK]}
    for name, program in programs().items():
        arguments = ["template", STACK, "helm_chart"] if name.startswith("helm") else ["build", "kustomize_overlay"]
        commands[f"`{program.name} {arguments[0]}` ({name})"] = [str(program), *arguments]
    outputs = {name: run(words, folder=_HERE) for name, words in commands.items()}
    _check_alike(outputs)
    actions = {name: lambda words=words: run(words, folder=_HERE) for name, words in commands.items()}
    taken = in_turn(actions, ROUNDS)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in taken.items():
        row(f"{name}, whole process, {len(outputs[name].splitlines())} lines", seconds)
    for name in list(commands)[1:]:
        ratio_row(f"one stack: {_OURS} to {name}", medians[_OURS], medians[name], ROUNDS)
    fleet = times(lambda: run(command("--yaml")), 9)
    row(f"{STACKS:,} different stacks, one process on one core, text to YAML", fleet)
    for name in list(commands)[1:]:
        what = f"{STACKS:,} stacks: {name}, {STACKS:,} x its median of {ROUNDS}, to ours"
        ratio_row(what, STACKS * medians[name], statistics.median(fleet), len(fleet))


def _check_alike(outputs: dict[str, str]) -> None:
    """End the measuring unless all write the same kinds of objects, as many of each, at about the same length."""
    objects = {name: _objects(text) for name, text in outputs.items()}
    kinds = {name: Counter(one["kind"] for one in found) for name, found in objects.items()}
    sizes = {name: len(str(found)) for name, found in objects.items()}
    if any(one != kinds[_OURS] for one in kinds.values()):
        sys.exit(f"The yardsticks make other objects: {kinds}")
    if any(not 0.8 < one / sizes[_OURS] < 1.25 for one in sizes.values()):
        sys.exit(f"The yardsticks make objects of another size: {sizes}")


def _objects(text: str) -> list[dict[str, Any]]:
    return [one for one in yaml.safe_load_all(text) if one]
