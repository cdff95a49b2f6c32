"""Lengths of bars in percent of a chart, from the review's numbers alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.page.series import memory_parts
from infra.review.records import Fleet, MemoryProof, Review, Reviews

_MOST_ROWS = 12


@dataclass(frozen=True)
class Bar:
    """One bar: its length in percent, and what it says."""

    percent: float
    text: str


@dataclass(frozen=True)
class Pair:
    """Before and after of one row of a chart; None where a side has none."""

    name: str
    before: Bar | None
    after: Bar | None


@dataclass(frozen=True)
class Segment:
    """A stretch of a memory bar; `colour` is a name of the style sheet."""

    colour: str
    name: str
    size_gib: float
    percent: float


@dataclass(frozen=True)
class MemoryBar:
    """One accelerator's memory; `may_fill_percent` is where the engine has to stop."""

    side: str
    segments: tuple[Segment, ...]
    may_fill_percent: float
    need_gib: float
    have_gib: float
    what: str


@dataclass(frozen=True)
class MemoryRow:
    """Memory bars of one stack, before and after where they differ."""

    stack: str
    bars: tuple[MemoryBar, ...]


def cost_pairs(found: Reviews) -> tuple[Pair, ...]:
    """USD a month by team, those that move most first, and all together last."""
    teams = sorted(found.teams, key=lambda one: (-abs(one.after - one.before), one.team or "~"))
    rows = [(one.team or "no team", one.before, one.after) for one in teams]
    shown, rest = rows[:_MOST_ROWS], rows[_MOST_ROWS:]
    if rest:
        shown.append((f"{len(rest)} more teams", sum(row[1] for row in rest), sum(row[2] for row in rest)))
    together = ("together", sum(row[1] for row in rows), sum(row[2] for row in rows))
    return _pairs([*(shown if len(rows) > 1 else []), together], "${:,.0f}")


def fleet_pairs(before: Fleet, after: Fleet) -> tuple[Pair, ...]:
    """Accelerators of every type at the most replicas."""
    had, has = dict(before.accelerators), dict(after.accelerators)
    return _pairs([(name, had.get(name, 0), has.get(name, 0)) for name in sorted({*had, *has})], "{:,}")


def memory_rows(stacks: Sequence[Review]) -> tuple[MemoryRow, ...]:
    """Of each stack with a proof on any side."""
    found = []
    for one in stacks:
        sides = [("before", one.memory_before), ("after", one.memory_after)]
        if one.memory_before is not None and one.memory_before == one.memory_after:
            sides = [("as before", one.memory_after)]
        bars = tuple(_memory_bar(side, proof) for side, proof in sides if proof is not None)
        if bars:
            found.append(MemoryRow(one.stack, bars))
    return tuple(found)


def _memory_bar(side: str, proof: MemoryProof) -> MemoryBar:
    memory = proof.memory
    parts = [part for part in memory_parts(memory, proof.concurrency) if part.size_gib > 0]
    whole = max(memory.per_accelerator_gib, sum(part.size_gib for part in parts), memory.need_gib, 0.01)
    return MemoryBar(
        side,
        tuple(Segment(part.colour, part.name, part.size_gib, 100 * part.size_gib / whole) for part in parts),
        100 * memory.have_gib / whole,
        memory.need_gib,
        memory.have_gib,
        f"{proof.count} x {proof.accelerator}, {proof.concurrency:,} x {proof.longest_request_tokens:,} tokens",
    )


def _pairs(rows: Sequence[tuple[str, float, float]], form: str) -> tuple[Pair, ...]:
    most = max((max(before, after) for _, before, after in rows), default=0) or 1
    return tuple(Pair(name, *(Bar(100 * value / most, form.format(value)) for value in sides)) for name, *sides in rows)
