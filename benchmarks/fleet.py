"""A fleet: a thousand different stacks, from text to Kubernetes objects, in one process on one core."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import STACK, row, run, times
from infra.errors import SpecError
from infra.pipeline import Endpoint, build
from infra.render import manifest

STACKS = 1000
BAR_SECONDS = 2.0
_PLATFORM = """\
apiVersion: servestack/v1
kind: Platform
gke: {project: servestack-dev, location: us-central1, cluster: {name: dev}}
"""
# What is served, on what, by what: pairs that fit with the longest of the contexts below.
_SERVED = (
    ("e2b", "l4", "vllm"),
    ("e4b", "l4", "vllm"),
    ("e2b", "l4", "llamacpp"),
    ("12b", "l4", "llamacpp"),
    ("12b", "h100", "vllm"),
    ("26b-a4b", "rtxpro6000", "vllm"),
    ("26b-a4b", "h100", "vllm"),
    ("31b", "h100", "vllm"),
    ("31b", "h200", "vllm"),
    ("31b", "b200", "vllm"),
)
_CONTEXTS = (4096, 8192, 16384, 32768)


class Fleet:
    """The stack files, in memory: one platform and its endpoints."""

    def __init__(self) -> None:
        self._texts = {"dev": _PLATFORM} | dict(itertools.islice(_endpoints(), STACKS))

    def names(self) -> list[str]:
        """Names of all stack files."""
        return list(self._texts)

    def path(self, name: str) -> str:
        """File as shown in messages."""
        return f"stacks/{name}.yaml"

    def text(self, name: str) -> str:
        """Text of one stack file."""
        if name not in self._texts:
            raise SpecError(f"no stack {name}")
        return self._texts[name]

    def lock_text(self) -> str | None:
        """No lock file."""
        return None


def _endpoints() -> itertools.chain[tuple[str, str]]:
    """Names and texts; no two are alike in what they ask for."""
    return itertools.chain.from_iterable(map(_alike, itertools.count(1)))


def _alike(team: int) -> list[tuple[str, str]]:
    context = _CONTEXTS[team % len(_CONTEXTS)]
    made = []
    for size, accelerator, framework in _SERVED:
        words = ["gemma4", size, accelerator, *([framework] if framework != "vllm" else []), f"team{team}"]
        text = (
            f"apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: gemma-4-{size}-it\n"
            f"accelerator: {accelerator}\nframework: {framework}\ncapacity: [spot]\ncontextLength: {context}\n"
            f"replicas: {{min: {1 + team % 3}, max: {1 + team % 3}}}\nlabels: {{team: team{team}}}\n"
        )
        made.append(("-".join(words), text))
    return made


def measure() -> None:
    """Print the rows."""
    row("`servestack plan X`, whole process", times(lambda: run([servestack(), "plan", STACK]), 21))
    many = f"{STACKS:,} different stacks, one process on one core"
    row(f"{many}, text to Kubernetes objects (bar: {BAR_SECONDS:g} s)", times(lambda: run(command()), 9))


def servestack() -> str:
    """The program of the environment that measures."""
    return str(Path(sys.executable).with_name("servestack"))


def command(*options: str) -> list[str]:
    """Command line of one process for the whole fleet."""
    return [sys.executable, "-m", "benchmarks.fleet", *options]


def main(options: Sequence[str]) -> None:
    """Plan and render the fleet on one core; with `--yaml`, write every object as YAML as well."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    fleet = Fleet()
    for name in fleet.names():
        built = build(name, fleet)
        objects = built.objects() if isinstance(built, Endpoint) else []
        if "--yaml" in options:
            sys.stdout.write(manifest(objects))


if __name__ == "__main__":
    main(sys.argv[1:])
