"""What came of stacks in the simulator: lines of at most 80 columns, and a comment. Data in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.markdown_text import code, fenced, folded, inline, row, table_head
from infra.text import WIDTH, counted, in_column, printable

_GOOD = ("ready", "created", "not simulated")
_NOTE = (
    "Seconds are those of the simulator, where machines come at once and models are not loaded; `plan` is what the "
    "plan says of a real start."
)
MARKER = "<!-- servestack-simulate -->"
Outcome = Mapping[str, Any]


def passes(outcomes: Sequence[Outcome]) -> bool:
    """Whether nothing keeps any of the stacks from being deployed."""
    return all(one["state"] in _GOOD for one in outcomes)


def simulation_text(outcomes: Sequence[Outcome]) -> str:
    """For people at a terminal."""
    lines = [headline(outcomes), ""]
    rows = [("stack", "state", "scheduled", "ready", "plan"), *map(_cells, outcomes)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(5)]
    widths[0] = min(widths[0], 40)
    for cells in rows:
        lines.append("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True)).rstrip())
    for one in outcomes:
        if one["reason"] and one["state"] not in _GOOD:
            lines += ["", f"{one['stack']}: {one['state']}"]
            for part in printable(one["reason"]).splitlines():
                lines += [f"  {line}" for line in in_column(part, WIDTH - 2)]
    lines += ["", *in_column(_NOTE, WIDTH)]
    return "\n".join(lines) + "\n"


def simulation_markdown(outcomes: Sequence[Outcome], limit_bytes: int = 60_000) -> str:
    """For the comment of a pull request; reasons are folded, and cut where there is no room."""
    parts = [f"{MARKER}\n## {headline(outcomes)}\n", table_head("stack", "state", "scheduled", "ready", "plan")]
    for one in outcomes:
        name, *cells = _cells(one)
        parts.append(row(code(name), *map(inline, cells)))
    text, left_out = "\n".join(parts), 0
    for one in outcomes:
        if one["reason"] and one["state"] not in _GOOD:
            more = "\n\n" + folded(one["stack"], one["state"], fenced(one["reason"][:4_000], ""))
            if len((text + more).encode()) > limit_bytes - 1_000:
                left_out += 1
            else:
                text += more
    said = f"\n\nNo room for why of {counted(left_out, 'stack')}; the log has it." if left_out else ""
    return f"{text}{said}\n\n{_NOTE}\n"


def headline(outcomes: Sequence[Outcome]) -> str:
    """How it went, in one line without a full stop."""
    bad = [one for one in outcomes if one["state"] not in _GOOD]
    if not outcomes:
        return "Nothing to simulate: no stack changes"
    if not bad:
        return f"Simulated: {counted(len(outcomes), 'stack')}, nothing refused"
    return f"Simulated: {len(bad)} of {counted(len(outcomes), 'stack')} would not come up"


def _cells(one: Outcome) -> tuple[str, str, str, str, str]:
    pods = f"{one['podsScheduled']} of {one['podsWanted']} pods" if one["podsWanted"] else "none"
    scheduled = f"{pods}, {one['scheduledSeconds']:.0f} s" if one["scheduledSeconds"] is not None else pods
    ready = f"{one['readySeconds']:.1f} s" if one["readySeconds"] is not None else "none"
    start = f"{one['planStartSeconds']:,} s" if one["planStartSeconds"] else "none"
    return one["stack"], one["state"], scheduled, ready, start
