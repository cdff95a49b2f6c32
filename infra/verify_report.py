"""Where what runs is not what the plan says, as text of at most 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from infra.text import WIDTH, printable
from infra.verify.rows import DIFFERS, UNREAD, Row


def verify_text(name: str, plan_hash: str, rows: Sequence[Row]) -> str:
    """Every difference with what to do, then what was not read, then the sum."""
    lines: list[str] = []
    for row in rows:
        if row.result == DIFFERS:
            lines += [
                *_folded(f"{row.what} differs", ""),
                *_folded(f"plan: {row.planned}", "  "),
                *_folded(f"live: {row.live}", "  "),
                *_folded(f"next: {row.step}", "  "),
            ]
    for row in rows:
        if row.result == UNREAD:
            lines += _folded(f"not read: {row.what} (planned {row.planned}): {row.live}", "")
    apart = sum(1 for row in rows if row.result == DIFFERS)
    unknown = sum(1 for row in rows if row.result == UNREAD)
    said = "as planned" if not apart else f"{apart} not as planned"
    lines += _folded(f"{name}: {len(rows)} compared, {said}, {unknown} not read. Plan {plan_hash[:12]}.", "")
    return "\n".join(lines) + "\n"


def _folded(text: str, indent: str) -> list[str]:
    said = " ".join(printable(text).split())
    return textwrap.wrap(said, WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
