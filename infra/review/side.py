"""One stack at one revision: built, or why it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.batch_job import BatchJob
from infra.golden import golden_text
from infra.pipeline import Built, Endpoint, Platform


@dataclass(frozen=True)
class Refused:
    """Why a stack cannot be planned, or what rule it breaks, in the words its author is told."""

    message: str


Side = Built | Refused


def objects(side: Side | None) -> list[dict[str, Any]]:
    """Kubernetes objects; none of a platform, of what is refused or absent, or of what is only planned."""
    if side is None or isinstance(side, Refused | Platform):
        return []
    if isinstance(side, Endpoint) and side.refusal is not None:
        return []
    return side.objects()


def effect(side: Side) -> object:
    """All that a stack file makes: equal for two texts that differ in form alone."""
    if isinstance(side, Refused):
        return side.message
    if isinstance(side, Platform):
        return side.spec.model_dump(), golden_text(side)
    planned_only = isinstance(side, Endpoint) and side.refusal is not None
    spec = side.spec.model_dump(mode="json")
    return side.plan.to_json(), objects(side), spec["budgetUsdPerMonth"], "" if planned_only else golden_text(side)


def monthly_usd(side: Side | None) -> float | None:
    """USD a month at the fewest replicas; None where no price is known, or nothing is paid by the hour."""
    if side is None or isinstance(side, Refused | Platform | BatchJob):
        return None
    return side.plan.cost.monthly_usd_min


def team(side: Side | None) -> str | None:
    """Value of the label `team`."""
    if side is None or isinstance(side, Refused | Platform):
        return None
    return dict(side.plan.labels).get("team")
