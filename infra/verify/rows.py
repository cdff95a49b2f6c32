"""What was compared. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

SAME, DIFFERS, UNREAD = "same", "differs", "not read"
_MOST_TEXT = 400


@dataclass(frozen=True)
class Row:
    """One comparison.

    Attributes:
        what: such as `pod x-1 image`.
        planned, live: in words; `live` is the reason where it was not read.
        result: `same`, `differs` or `not read`.
        step: what to do where it differs.
    """

    what: str
    planned: str
    live: str
    result: str
    step: str = ""


def compared(what: str, planned: object, live: object, step: str, *, same: bool | None = None) -> Row:
    """Two values as words, and whether they are one; `same` where that is not plain equality."""
    equal = planned == live if same is None else same
    return Row(what, _text(planned), _text(live), SAME if equal else DIFFERS, "" if equal else step)


def unread(what: str, planned: object, reason: str) -> Row:
    """What could not be read, and why."""
    return Row(what, _text(planned), reason[:_MOST_TEXT], UNREAD)


def differing(rows: Iterable[Row]) -> list[Row]:
    """Those that are not as planned."""
    return [row for row in rows if row.result == DIFFERS]


def rows_json(stack: str, plan_hash: str, rows: Iterable[Row]) -> dict[str, Any]:
    """The whole as JSON data, tied to the plan by its hash."""
    found = list(rows)
    return {
        "stack": stack,
        "planHash": plan_hash,
        "asPlanned": not differing(found),
        "rows": [
            {"what": one.what, "planned": one.planned, "live": one.live, "result": one.result, "step": one.step}
            for one in found
        ],
    }


def _text(value: object) -> str:
    if value is None or value == "" or value == () or value == []:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}={one}" for key, one in sorted(value.items())) or "none"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value)


def words_apart(planned: list[str], live: list[str]) -> tuple[str, str]:
    """Of two lists of arguments what each has and the other has not: flags with their values."""
    ours, theirs = _flags(planned), _flags(live)
    return (
        " ".join(one for one in ours if one not in theirs) or "(another order)",
        " ".join(one for one in theirs if one not in ours) or "none of it",
    )


def _flags(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        if found and not word.startswith("--") and found[-1].startswith("--") and " " not in found[-1]:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found
