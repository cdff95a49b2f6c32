"""The site of a fleet: a thousand different stacks, from files to a folder of pages."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.fleet import STACKS, Fleet, servestack
from benchmarks.table import row, run, times

BAR_SECONDS = 20.0


def measure() -> None:
    """Print the rows."""
    fleet = Fleet()
    with tempfile.TemporaryDirectory() as name:
        stacks, site = Path(name, "stacks"), Path(name, "site")
        stacks.mkdir()
        for stack in fleet.names():
            (stacks / f"{stack}.yaml").write_text(fleet.text(stack), encoding="utf-8")
        command = [servestack(), "site", str(site), "--stacks", str(stacks)]
        taken = times(lambda: run(command), 5)
        pages = list(site.rglob("*.html"))
        size_mb = sum(page.stat().st_size for page in pages) / 1e6
    what = f"`servestack site` of {STACKS:,} different stacks, whole process (bar: {BAR_SECONDS:g} s)"
    row(f"{what}: {len(pages):,} pages, {size_mb:.0f} MB", taken)
