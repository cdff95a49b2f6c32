"""The first page: all stacks, and on top what is served, where, for whom, at what cost, and whether it fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from infra.page import numbers
from infra.website.platforms import PlatformRow
from infra.website.row import NO_TEAM, Row
from infra.website.subject import Told
from infra.website.together import Together, together

_MOST_NAMED = 3


@dataclass(frozen=True)
class Filter:
    """A choice above the table: `name` is that of its value in the page's address."""

    name: str
    label: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Overview:
    """What the first page shows.

    Attributes:
        groups: by team, then by platform: the name, its stacks together.
        refused: messages by file.
    """

    rows: tuple[Row, ...]
    all: Together
    told: tuple[Told, ...]
    filters: tuple[Filter, ...]
    groups: tuple[tuple[Filter, tuple[tuple[str, Together], ...]], ...]
    refused: Mapping[str, str]


_FILTERS: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
    ("model", "Model", lambda row: row.model),
    ("accelerator", "Accelerator", lambda row: row.accelerator),
    ("team", "Team", lambda row: row.team),
    ("platform", "Platform", lambda row: row.platform),
    ("framework", "Framework", lambda row: row.framework),
    ("kind", "Kind", lambda row: row.kind),
)


def overview(rows: Sequence[Row], platforms: Sequence[PlatformRow], refused: Mapping[str, str]) -> Overview:
    """The first page of some stacks."""
    filters = tuple(Filter(name, label, tuple(sorted(set(map(of, rows))))) for name, label, of in _FILTERS)
    grouped = [("team", _FILTERS[2][2]), ("platform", _FILTERS[3][2])]
    by_name = {one.name: one for one in filters}
    return Overview(
        rows=tuple(rows),
        all=together(rows),
        told=tuple(_told(rows, platforms)),
        filters=filters,
        groups=tuple(
            (
                by_name[name],
                tuple((value, together([row for row in rows if of(row) == value])) for value in by_name[name].options),
            )
            for name, of in grouped
        ),
        refused=refused,
    )


def _told(rows: Sequence[Row], platforms: Sequence[PlatformRow]) -> list[Told]:
    everything = together(rows)
    teams = sorted({row.team for row in rows} - {NO_TEAM})
    without = sum(row.team == NO_TEAM for row in rows)
    nobody = f"{numbers.count(without, 'stack')} without the label team" if without else "every stack has a team"
    models, frameworks = {row.model for row in rows}, {row.framework for row in rows}
    own = sum(one.plan.monthly_usd for one in platforms)
    return [
        Told(
            "What is served",
            numbers.count(len(rows), "stack"),
            f"{everything.kinds or 'none'}; {numbers.count(len(models), 'model')} by "
            f"{numbers.count(len(frameworks), 'framework')}",
        ),
        Told("Where", numbers.count(len(platforms), "platform"), _named([one.name for one in platforms])),
        Told("For whom", numbers.count(len(teams), "team"), "; ".join(filter(None, (_named(teams), nobody)))),
        Told(
            "What does it cost",
            numbers.monthly_range(everything.least, everything.most) if everything.priced else "Nothing",
            "; ".join(
                filter(
                    None,
                    (
                        "a month" if everything.exact else "a month at most, where only a ceiling is known",
                        f"platforms {numbers.monthly(own)} more" if own else "",
                    ),
                )
            ),
        ),
        _fit(rows),
    ]


def _fit(rows: Sequence[Row]) -> Told:
    proved = [row for row in rows if row.full is not None]
    lacking = [row for row in proved if not row.fits]
    if not proved:
        return Told("Does it fit", "Nothing to prove", "no stack has machines of its own")
    fullest = max(proved, key=lambda row: row.full or 0)
    words = f"the fullest is {fullest.name}, {fullest.full:.0f}%; by a proof of memory for each"
    if lacking:
        return Told("Does it fit", f"{len(lacking)} of {len(proved)} do not", words, "bad")
    return Told("Does it fit", f"All {len(proved):,} fit", words, "good")


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
