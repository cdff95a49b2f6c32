"""Cron expressions of five fields, as the library reads them that KEDA uses.

Source: keda 2.21.0 pkg/scalers/cron_scaler.go (the parser and its five fields) and robfig/cron 3.0.1 parser.go and
spec.go (what a field may hold). No seconds, no `@daily`, no time zone in the text, and Sunday is 0, not 7.
"""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NO_NAMES: tuple[str, ...] = ()
# Name, lowest value, highest value, names of the values from the lowest on.
_FIELDS = (
    ("minute", 0, 59, _NO_NAMES),
    ("hour", 0, 23, _NO_NAMES),
    ("day of month", 1, 31, _NO_NAMES),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 6, _DAYS),
)
_PART = re.compile(r"(?:([*?])|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?")
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def checked_cron(text: str) -> str:
    """The expression, where it is one that comes up at all.

    Raises:
        ValueError: it is none, or names days that no month has.
    """
    words = text.split(" ")
    if len(words) != len(_FIELDS):
        raise ValueError(f"{len(words)} fields; write five: minute, hour, day of month, month, day of week.")
    _, _, days, months, _ = [_values(word, *field) for word, field in zip(words, _FIELDS, strict=True)]
    if _any_day(words[4]) and not any(day <= _MONTH_DAYS[month - 1] for day in days for month in months):
        raise ValueError("no month has such a day, so it never comes up.")
    return text


def _any_day(word: str) -> bool:
    """Whether a day must match the day of month too: a star of every day; else either field is enough."""
    return any(re.fullmatch(r"[*?](/0?1)?", part) for part in word.split(","))


def _values(word: str, name: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    values: set[int] = set()
    for part in word.split(","):
        found = _PART.fullmatch(part.lower())
        if found is None:
            raise ValueError(f"{name}: '{part}' is no value, range or step, such as 7, 1-5 or */15.")
        star, first, last, step = found.groups()
        start = low if star else _number(first, name, low, names)
        end = high if star or (step and not last) else _number(last or first, name, low, names)
        if not low <= start <= end <= high:
            raise ValueError(f"{name}: '{part}' is not within {low} to {high}, lower end first.")
        if step and int(step) == 0:
            raise ValueError(f"{name}: '{part}' has a step of 0.")
        values.update(range(start, end + 1, int(step or 1)))
    return values


def _number(word: str, name: str, low: int, names: tuple[str, ...]) -> int:
    if word.isdigit():
        return int(word)
    if word not in names:
        raise ValueError(f"{name}: '{word}' is no value{f'; names are {names[0]} to {names[-1]}' if names else ''}.")
    return low + names.index(word)
