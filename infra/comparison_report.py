"""Stacks side by side as text of at most 80 columns. Without colour: it reads the same in a pull request."""

from __future__ import annotations

import itertools

from infra.plan.comparison import Comparison, Row
from infra.text import WIDTH, in_column, wrapped

_LABEL = 15
_GAP = 2
_COLUMN = (WIDTH - _LABEL - _GAP) // 2
_TWO = 2


def comparison_text(found: Comparison) -> str:
    """What differs, what is the same, what speaks for each stack, and what they cost beside each other."""
    differing = [row for row in found.rows if row.differs]
    lines = _table(found, differing) if len(found.stacks) == _TWO else _blocks(found, differing)
    return "\n".join([*lines, "", _same(found), "", *_merits(found), "", *_costs(found)]) + "\n"


def _table(found: Comparison, rows: list[Row]) -> list[str]:
    """Two columns."""
    lines = [*_line("", found.stacks), "-" * WIDTH]
    for row in rows:
        lines += _line(row.label, tuple(one.text for one in row.cells))
        lines += _note(row, _LABEL)
    return lines if rows else [*lines, "nothing differs"]


def _line(label: str, texts: tuple[str, ...]) -> list[str]:
    left, right = (in_column(text, _COLUMN) for text in texts)
    cells = itertools.zip_longest([label], left, right, fillvalue="")
    return [f"{name:<{_LABEL}}{one:<{_COLUMN + _GAP}}{two}".rstrip() for name, one, two in cells]


def _blocks(found: Comparison, rows: list[Row]) -> list[str]:
    """A block per row, with a line for each thing that some stacks have; stacks by letter."""
    letters = "ABCD"[: len(found.stacks)]
    indent = 2 * len(letters) + 3
    lines = [wrapped(name, f"{letter}  ", "   ") for letter, name in zip(letters, found.stacks, strict=True)]
    lines.append("-" * WIDTH)
    for row in rows:
        texts = dict.fromkeys(one.text for one in row.cells)
        lines.append(row.label)
        for text in texts:
            who = " ".join(letter for letter, one in zip(letters, row.cells, strict=True) if one.text == text)
            head, *rest = in_column(text, WIDTH - indent)
            lines += [f"  {who}".ljust(indent) + head, *(" " * indent + line for line in rest)]
        lines += _note(row, indent)
    return lines if rows else [*lines, "nothing differs"]


def _note(row: Row, indent: int) -> list[str]:
    return [wrapped(f"({row.note})", " " * indent, " " * indent)] if row.note else []


def _same(found: Comparison) -> str:
    same = [f"{row.label} {row.cells[0].text}" for row in found.rows if not row.differs]
    return _folded(f"the same: {'; '.join(same) or 'nothing'}")


def _merits(found: Comparison) -> list[str]:
    return [
        _folded(f"for {name}: {'; '.join(texts) or 'nothing that the plans tell'}")
        for name, texts in zip(found.stacks, found.merits, strict=True)
    ]


def _costs(found: Comparison) -> list[str]:
    return [_folded(f"cost: {text}") for text in found.costs]


def _folded(text: str) -> str:
    return "\n  ".join(in_column(text, WIDTH - 2))
