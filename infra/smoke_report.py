"""What a smoke test found, as a table of at most 80 columns."""

from __future__ import annotations

import textwrap

from infra.smoke.run import Smoke
from infra.smoke.verdicts import MISS, SKIPPED
from infra.text import WIDTH, counted, printable

_COLUMNS = (17, 9, 9)
_NOTE = sum(_COLUMNS)


def smoke_text(found: Smoke) -> str:
    """A row for each check, then the sum."""
    lines = [
        f"{found.promise.stack} at {printable(found.url)}",
        _row("check", "result", "time", "note"),
        *(
            line
            for one in found.checks
            for line in _rows(one.name, one.verdict.result, f"{one.seconds:.2f} s", one.verdict.note)
        ),
    ]
    missed = sum(1 for one in found.checks if one.verdict.result == MISS)
    skipped = sum(1 for one in found.checks if one.verdict.result == SKIPPED)
    if found.engine:
        planned = f", planned {found.promise.engine_version}" if found.promise.engine_version else ""
        lines.append(textwrap.shorten(f"engine says {printable(found.engine)}{planned}", WIDTH, placeholder=" ..."))
    lines.append(f"plan {found.promise.plan_hash[:12]}")
    told = counted(missed, "miss") if missed == 1 else f"{missed} misses"
    lines.append(f"{counted(len(found.checks), 'check')}, {told}, {skipped} skipped.")
    return "\n".join(lines) + "\n"


def _rows(name: str, result: str, seconds: str, note: str) -> list[str]:
    said = " ".join(printable(note).split())
    parts = textwrap.wrap(said, WIDTH - _NOTE, break_on_hyphens=False) or [""]
    return [_row(name, result, seconds, parts[0]), *(" " * _NOTE + part for part in parts[1:])]


def _row(name: str, result: str, seconds: str, note: str) -> str:
    a, b, c = _COLUMNS
    return f"{name:<{a}}{result:<{b}}{seconds:<{c}}{note}".rstrip()
