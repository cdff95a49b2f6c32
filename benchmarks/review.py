"""`servestack review` of a real git repository with a thousand stacks of which twenty change."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from benchmarks.fleet import STACKS, Fleet, servestack
from benchmarks.table import row, run, times

CHANGED = 20
BAR_SECONDS = 5.0
_WHO = ("-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgsign=false")


def measure() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory(prefix="servestack-bench-") as scratch:
        folder = Path(scratch)
        repository(folder)
        said = f"`servestack review` of {STACKS:,} stacks with {CHANGED} changed, whole process"
        stacks = folder / "stacks"
        base = [servestack(), "review", "--stacks", str(stacks), "--base", "HEAD~1"]
        row(f"{said}, terminal alone", times(lambda: run(base), 9))
        files = [f"--{form}={folder / f'review.{form}'}" for form in ("markdown", "sarif", "html")]
        row(f"{said}, all forms (bar: {BAR_SECONDS:g} s)", times(lambda: run([*base, *files]), 9))


def repository(folder: Path) -> None:
    """Make one with two commits."""
    stacks, fleet = folder / "stacks", Fleet()
    stacks.mkdir()
    for name in fleet.names():
        (stacks / f"{name}.yaml").write_text(fleet.text(name), encoding="utf-8")
    _git(folder, "init", "-q", "-b", "main")
    _commit(folder)
    endpoints = [name for name in fleet.names() if name != "dev"]
    for name in endpoints[:: len(endpoints) // CHANGED][:CHANGED]:
        (stacks / f"{name}.yaml").write_text(fleet.text(name) + "tools: true\nbudgetUsdPerMonth: 900000\n")
    _commit(folder)


def _commit(folder: Path) -> None:
    _git(folder, "add", "-A")
    _git(folder, *_WHO, "commit", "-q", "-m", "change")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
