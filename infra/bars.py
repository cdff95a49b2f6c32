"""Bars of characters: how a whole is filled, for terminals of 80 columns."""

from __future__ import annotations

from collections.abc import Sequence


def bar(parts: Sequence[tuple[str, float]], *, width: int) -> str:
    """One character a cell, each part's letter as often as its share of the whole; a part that is there shows once.

    Args:
        parts: (letter, size), in order; sizes of any one unit.
        width: cells.
    """
    whole = sum(size for _, size in parts)
    present = [(letter, size) for letter, size in parts if size > 0]
    if not present or whole <= 0:
        return "." * width
    cells = {letter: max(1, round(size / whole * width)) for letter, size in present}
    while sum(cells.values()) != width:
        step = 1 if sum(cells.values()) < width else -1
        grown = [letter for letter in cells if step > 0 or cells[letter] > 1]
        cells[max(grown, key=lambda letter: cells[letter])] += step
    return "".join(letter * cells[letter] for letter, _ in present)
