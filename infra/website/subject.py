"""What the page of a stack says that is no endpoint of one's own machines: answers on top, then tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from infra.page.series import Part
from infra.page.tables import Column, Table


@dataclass(frozen=True)
class Told:
    """One of the answers on top: a question, a short answer, the rest of it, and `good` or `bad` where it is so."""

    question: str
    short: str
    rest: str
    tone: str = ""


@dataclass(frozen=True)
class Subject:
    """A page's content but for its files.

    Attributes:
        under: stands below the name.
        memory: drawing of the memory proof; None where there is nothing to prove.
        parts: what it shows.
    """

    under: str
    cautions: tuple[str, ...]
    told: tuple[Told, ...]
    tables: tuple[Table, ...]
    memory: Markup | None = None
    parts: tuple[Part, ...] = ()


def facts(caption: str, rows: Sequence[tuple[str, str]]) -> Table:
    """A table of fields with their values; fields without a value are left out."""
    return Table(caption, (Column("Field"), Column("Value")), tuple(row for row in rows if row[1]))
