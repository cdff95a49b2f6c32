"""A review as lines of at most 80 columns: dangers first, then costs, then each stack."""

from __future__ import annotations

from infra.review import GRAVITY, Review, Reviews
from infra.text import WIDTH, counted, in_column, printable

_KINDS = ("refused", "changed", "added", "deleted", "no effect")


def review_text(found: Reviews, base: str, head: str) -> str:
    """The whole review; text of stack files is made safe to print."""
    if not found.stacks:
        return f"No stack changes between {base} and {head}.\n"
    counts = {kind: sum(one.kind == kind for one in found.stacks) for kind in _KINDS}
    shown = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    lines = _wrapped(f"{counted(len(found.stacks), 'stack')} from {base} to {head}: {shown}.", "", "")
    grave = [(one.stack, danger) for one in found.stacks for danger in one.dangers]
    lines += ["", "DANGERS" if grave else "No danger that this review knows."]
    for stack, danger in sorted(grave, key=lambda pair: GRAVITY.index(pair[1].kind)):
        lines += _wrapped(f"{stack}: {danger.sentence}", "! ", "  ")
    lines += ["", *_costs(found)] if found.teams else []
    for one in sorted(found.stacks, key=lambda review: _KINDS.index(review.kind)):
        lines += _stack(one)
    return "\n".join(lines) + "\n"


def _costs(found: Reviews) -> list[str]:
    rows = [(one.team or "(no team)", one.before, one.after) for one in found.teams]
    rows.append(("together", sum(row[1] for row in rows), sum(row[2] for row in rows)))
    lines = ["Cost of these stacks in USD a month, at the fewest replicas:"]
    for name, before, after in rows if len(rows) > 2 else rows[:1]:
        lines += _wrapped(f"{name}: {before:,.0f} -> {after:,.0f} ({after - before:+,.0f})", "  ", "    ")
    return lines


def _stack(one: Review) -> list[str]:
    lines = ["", f"{one.stack}: {one.kind}"]
    for sentence in one.sentences:
        lines += _wrapped(sentence, "  ", "    ")
    return lines


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    lines = [line for part in printable(text).splitlines() for line in in_column(part, WIDTH - len(rest))]
    return [(rest if index else first) + line for index, line in enumerate(lines)]
