"""What a platform costs while it stands, and which roles its people need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from infra.catalog.loader import read_facts
from infra.toolkit import toolkit


@dataclass(frozen=True)
class StandingPrice:
    """A price that is paid while a platform stands.

    Attributes:
        name: by which it is found: `cluster`, or a machine type.
    """

    name: str
    what: str
    usd_per_hour: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """An IAM role that somebody needs.

    Attributes:
        who: of `makes`, `deploys` and `previews`.
        scope: what it is granted on.
        needed: `always`, or the part of a platform with which it is.
    """

    role: str
    who: tuple[str, ...]
    scope: str
    needed: str
    why: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class PlatformFacts:
    """All of it; `not_counted` is paid beside the prices."""

    prices: dict[str, StandingPrice]
    not_counted: tuple[str, ...]
    roles: tuple[Role, ...]


def platform_facts() -> PlatformFacts:
    """Facts of `platforms.yaml`, read once for each folder that they are read from."""
    return _platform_facts(toolkit())


@cache
def _platform_facts(_folder: Path) -> PlatformFacts:
    facts = read_facts("platforms.yaml")
    return PlatformFacts(
        prices={
            row["name"]: StandingPrice(row["name"], row["what"], row["usd_per_hour"], tuple(row["sources"]))
            for row in facts["prices"]
        },
        not_counted=tuple(facts["not_counted"]),
        roles=tuple(
            Role(row["role"], tuple(row["who"]), row["scope"], row["needed"], row["why"], tuple(row["sources"]))
            for row in facts["roles"]
        ),
    )
