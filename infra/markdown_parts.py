"""A text made of parts that must not be longer than a limit: the least important parts are left out, and it says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from infra.text import counted

_NOTE_BYTES = 500


@dataclass(frozen=True)
class Part:
    """Lines that stand or fall together, whole blocks of Markdown each.

    Attributes:
        text: ends without a line break.
        rank: parts of the lowest rank are left out first; None where it always stays.
        noun: what is counted where it is left out, such as `diff`.
        note: the sentence on what is left out stands here.
    """

    text: str
    rank: tuple[int, float] | None = None
    noun: str = ""
    note: bool = False

    @property
    def size(self) -> int:
        """Bytes of UTF-8 with the line break."""
        return len(self.text.encode()) + 1


def fitted(parts: Sequence[Part], limit_bytes: int) -> str:
    """All parts in their order, without those for which there is no room."""
    left_out = _left_out(parts, limit_bytes)
    nouns = Counter(parts[index].noun for index in sorted(left_out))
    lines = []
    for index, part in enumerate(parts):
        if part.note and nouns:
            lines.append(_note(nouns))
        elif not part.note and index not in left_out:
            lines.append(part.text)
    return "\n".join(lines) + "\n"


def _left_out(parts: Sequence[Part], limit_bytes: int) -> set[int]:
    total = sum(part.size for part in parts)
    ranked = [(part.rank, index) for index, part in enumerate(parts) if part.rank is not None]
    found: set[int] = set()
    for _, index in sorted(ranked):
        if total + (_NOTE_BYTES if found else 0) <= limit_bytes:
            break
        found.add(index)
        total -= parts[index].size
    return found


def _note(nouns: Counter[str]) -> str:
    *most, last = (counted(number, noun) for noun, number in nouns.items())
    what = f"{', '.join(most)} and {last}" if most else last
    return (
        f"\n**Left out here**, to stay below the size limit of a comment: {what}. "
        "The HTML report and the JSON of this review have all of it."
    )
