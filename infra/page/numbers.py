"""Numbers and names as people read them; the only place that rounds."""

from __future__ import annotations

import unicodedata

_TIED = "\u00a0"  # keeps a number and its unit on one line
_BROAD = "mwMW@%\ufffd—"
_SLIM = "iljtfrI1.,:;|!'()[]- /"


def visible(text: str) -> str:
    """`text` with every character that moves a cursor, reverses a line or shows nothing made U+FFFD."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() or character == _TIED else "\ufffd" for character in text)


def visible_lines(text: str) -> str:
    """The same for text of several lines, which stay lines."""
    return "\n".join(map(visible, text.split("\n")))


def letters(text: str) -> float:
    """Width of `text` in letters of usual width, on the wide side: the typeface is that of whoever reads."""
    return sum(_letter(character) for character in text)


def _letter(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 2.0
    return 1.5 if character in _BROAD else 0.65 if character in _SLIM else 1.1


def shortened(text: str, longest: float) -> str:
    """`text` for a chart, where there is no second line: visible, and at most `longest` letters wide."""
    clean = visible(text)
    if letters(clean) <= longest:
        return clean
    while letters(clean) > longest - 1.5:
        clean = clean[:-1]
    return f"{clean}…"


def gib(size_gib: float) -> str:
    """Size with two decimals and its unit."""
    return f"{size_gib:,.2f}{_TIED}GiB"


def hourly(usd: float | None, exact: bool = True) -> str:
    """Price of an hour; unknown said so, a ceiling marked."""
    return "unknown" if usd is None else f"{_ceiling(exact)}${usd:,.2f}"


def monthly(usd: float | None, exact: bool = True) -> str:
    """Price of a month in whole dollars."""
    return "unknown" if usd is None else f"{_ceiling(exact)}${usd:,.0f}"


def monthly_range(least: float | None, most: float | None, exact: bool = True) -> str:
    """Fewest to most replicas, once where both are the same."""
    low, high = monthly(least), monthly(most)
    if least is None and most is None:
        return low
    return f"{_ceiling(exact)}{low}" if low == high else f"{_ceiling(exact)}{low} to {high}"


def _ceiling(exact: bool) -> str:
    return "" if exact else "at most "


def duration(seconds: float) -> str:
    """Seconds as `48 s`, `6 min 5 s` or `2 h 3 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_TIED}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{_TIED}min {rest}{_TIED}s" if rest else f"{minutes}{_TIED}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{_TIED}h {minutes}{_TIED}min" if minutes else f"{hours}{_TIED}h"


def count(number: int, noun: str) -> str:
    """`1 replica`, `2 replicas`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
