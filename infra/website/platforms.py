"""Platforms: what each is, what it costs while nothing runs on it, and what runs on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.cloud.platform_plan import PlatformPlan, platform_plan
from infra.page import numbers
from infra.page.tables import Column, Table
from infra.pipeline import Platform
from infra.spec import PlatformSpec
from infra.spec.platform import PLATFORM_KINDS
from infra.website.row import Row
from infra.website.subject import Subject, Told, facts
from infra.website.together import Together, together


@dataclass(frozen=True)
class PlatformRow:
    """A platform with the stacks on it."""

    name: str
    kind: str
    place: str
    plan: PlatformPlan
    rows: tuple[Row, ...]

    @property
    def page(self) -> str:
        """Its page, from the folder's top."""
        return f"stacks/{self.name}.html"

    @property
    def standing(self) -> str:
        """Its own price of a month, without what runs on it, or why there is none here."""
        if self.plan.standing:
            return numbers.monthly(self.plan.monthly_usd)
        return {"google": "Nothing", "host": "Your own", "local": "Your own"}.get(self.kind, "Not counted: adopted")

    @property
    def cost(self) -> Together:
        """What runs on it, together."""
        return together(self.rows)


def platform_rows(platforms: Sequence[Platform], rows: Sequence[Row]) -> tuple[PlatformRow, ...]:
    """Every platform, in the order given."""
    return tuple(
        PlatformRow(
            one.name,
            next(kind for kind in PLATFORM_KINDS if getattr(one.spec, kind) is not None),
            _place(one.spec),
            platform_plan(one.name, one.spec),
            tuple(row for row in rows if row.platform == one.name),
        )
        for one in platforms
    )


def platform_subject(one: PlatformRow) -> Subject:
    """The page of one platform."""
    plan, gke = one.plan, one.plan.spec.gke
    terms = "; ".join(f"{term.what} ${term.usd_per_hour:,.2f} an hour" for term in plan.standing)
    beside = f"not counted: {', '.join(plan.not_counted)}" if plan.not_counted else ""
    cluster = (
        f"cluster {gke.cluster.name}, {'made by its stack' if gke.cluster.create else 'adopted as it is'}"
        if gke
        else ""
    )
    roles = Table(
        "Who needs which role",
        (Column("Role"), Column("Who"), Column("On"), Column("Why")),
        tuple((role.role, ", ".join(role.who), role.scope, role.why) for role in plan.roles),
    )
    remade = Table(
        "What a change means",
        (Column("Part"), Column("Fields"), Column("Means")),
        tuple((part.part, ", ".join(part.fields), part.means) for part in plan.remade),
    )
    return Subject(
        under=f"Platform, {one.kind}: {one.place}",
        cautions=plan.cautions,
        told=(
            Told("What is it", one.kind, "; ".join(filter(None, (one.place, cluster)))),
            Told("What runs on it", numbers.count(len(one.rows), "stack"), one.cost.kinds or "nothing yet"),
            Told("What do they cost", one.cost.month, "a month, all stacks together, without the platform itself"),
            Told(
                "What does it cost itself", one.standing, "; ".join(filter(None, (terms, beside))) or "nothing is made"
            ),
        ),
        tables=(
            facts(
                "Platform",
                [
                    ("Protection", plan.protection),
                    ("Entrance", plan.entrance),
                    ("Resources made", str(len(plan.resources)) if plan.resources else ""),
                    ("Labels", ", ".join(f"{key}: {value}" for key, value in sorted(plan.spec.labels.items()))),
                ],
            ),
            *(table for table in (roles, remade) if table.rows),
        ),
    )


def _place(spec: PlatformSpec) -> str:
    if spec.gke is not None:
        return f"{spec.gke.project}, {spec.gke.location}"
    if spec.google is not None:
        return f"{spec.google.project}, {spec.google.location}"
    if spec.kubernetes is not None:
        return f"context {spec.kubernetes.context}"
    return (
        spec.host.address if spec.host is not None and spec.host.address else "this machine" if spec.local else "Macs"
    )
