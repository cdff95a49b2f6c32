"""What many endpoints cost together, for all and for each value of a label such as `team`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan

Plan = ServingPlan | ManagedPlan


@dataclass(frozen=True)
class Total:
    """Costs of some endpoints together, in USD; what has no known price is counted, not summed.

    Attributes:
        value: of the label that they share; None where they have none.
        stacks: how many.
        hourly_usd: most replicas, first rung.
        monthly_usd_min: fewest replicas, first rung.
        monthly_usd_max: most replicas, dearest rung; where that is not known, as the minimum.
        exact: False where any price is only a ceiling.
        unpriced: how many have no known price; `own` more run on machines that are there.
        by_token: how many more are paid by the token, or not at all: nothing by the hour.
    """

    value: str | None
    stacks: int
    hourly_usd: float
    monthly_usd_min: float
    monthly_usd_max: float
    exact: bool
    unpriced: int
    own: int
    by_token: int

    def to_json(self) -> dict[str, Any]:
        """As `servestack plan --all --by LABEL --json` prints it."""
        words = {
            "hourly_usd": "hourlyUsd",
            "monthly_usd_min": "monthlyUsdMin",
            "monthly_usd_max": "monthlyUsdMax",
            "by_token": "byToken",
        }
        return {words.get(key, key): value for key, value in asdict(self).items()}


def capacity(plan: Plan) -> str:
    """How its machines are bought: `own` where they are there, `google` where they are Google's own."""
    return plan.capacity if isinstance(plan, ManagedPlan) else plan.accelerator.capacity


def total(plans: Sequence[Plan], value: str | None = None) -> Total:
    """The total of some endpoints."""
    priced = [plan.cost for plan in plans if plan.cost.hourly_usd is not None]
    own = sum(capacity(plan) == "own" for plan in plans)
    by_token = sum(capacity(plan) == "google" for plan in plans)
    least = [cost.monthly_usd_min or 0 for cost in priced]
    most = [cost.monthly_usd_min or 0 if cost.monthly_usd_max is None else cost.monthly_usd_max for cost in priced]
    return Total(
        value=value,
        stacks=len(plans),
        hourly_usd=sum(cost.hourly_usd or 0 for cost in priced),
        monthly_usd_min=sum(least),
        monthly_usd_max=sum(most),
        exact=all(cost.exact for cost in priced),
        unpriced=len(plans) - len(priced) - own - by_token,
        own=own,
        by_token=by_token,
    )


def totals(plans: Sequence[Plan], label: str) -> list[Total]:
    """A total for each value of a label, sorted; last that of the endpoints without it, where there are any."""
    values = sorted({value for plan in plans for key, value in plan.labels if key == label})
    groups = [(value, [plan for plan in plans if (label, value) in plan.labels]) for value in values]
    without = [plan for plan in plans if label not in dict(plan.labels)]
    return [total(some, value) for value, some in [*groups, *([(None, without)] if without else [])]]
