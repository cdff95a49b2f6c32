"""Many plans as text of at most 80 columns: a line for each, then totals."""

from __future__ import annotations

from collections.abc import Sequence

from infra.plan.quantities import Cost
from infra.plan.serving_plan import ServingPlan
from infra.text import WIDTH, counted, wrapped

_HEAD = ("stack", "accelerators", "USD/h", "USD/month", "full")
_HOURLY = 2


def fleet_text(plans: Sequence[ServingPlan], unplanned: Sequence[str] = ()) -> str:
    """One line per stack, sorted, then totals; what has no known price is counted apart.

    Args:
        plans: of the stacks that can be served.
        unplanned: names of stacks that cannot; why is told elsewhere.
    """
    if not plans and not unplanned:
        return "no endpoints\n"
    rows = sorted([*(_cells(plan) for plan in plans), *((name, "no plan", "-", "-", "-") for name in unplanned)])
    return "\n".join([*_table([_HEAD, *rows]), *_totals(plans, len(unplanned))]) + "\n"


def _cells(plan: ServingPlan) -> tuple[str, ...]:
    accelerator, cost, memory = plan.accelerator, plan.cost, plan.memory
    replicas = f"{plan.replicas}x" if plan.replicas > 1 else ""
    shape = f"{replicas}{accelerator.count} {accelerator.type}"
    hour, month = _price(cost.hourly_usd, cost.exact, cents=True), _price(cost.monthly_usd_max, cost.exact)
    full = f"{100 * memory.need_gib / memory.have_gib:.0f}%"
    if accelerator.capacity == "own":
        return plan.stack, shape, "own", "own", full
    return plan.stack, shape, hour, month, full


def _price(usd: float | None, exact: bool, *, cents: bool = False) -> str:
    if usd is None:
        return "?"
    return f"{'' if exact else '<='}{usd:,.{2 if cents and usd < 100 else 0}f}"


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Columns as far apart as 80 columns allow; where they allow too little, the month stands for the hour."""
    for gap, kept in ((2, rows), (1, rows), (1, [row[:_HOURLY] + row[_HOURLY + 1 :] for row in rows])):
        widths = [max(map(len, column)) for column in zip(*kept, strict=True)]
        if sum(widths) + gap * (len(widths) - 1) <= WIDTH:
            break
    return [
        (" " * gap).join(
            f"{cell:<{width}}" if place < _HOURLY else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in kept
    ]


def _totals(plans: Sequence[ServingPlan], unplanned: int) -> list[str]:
    priced = [plan.cost for plan in plans if plan.cost.hourly_usd is not None]
    own = sum(plan.accelerator.capacity == "own" for plan in plans)
    unknown = len(plans) - len(priced) - own
    ceilings = sum(not cost.exact for cost in priced)
    later = sum(bool(plan.only_planned) for plan in plans)
    low, high = (f"{sum(month):,.0f}" for month in zip(*map(_months, priced), strict=True)) if priced else ("0", "0")
    stacks = counted(len(plans) + unplanned, "stack")
    hour = f"{sum(cost.hourly_usd or 0 for cost in priced):,.2f} USD per hour"
    told = [
        f"{stacks}: {hour}, {low if low == high else f'{low} to {high}'} per month",
        f"{ceilings} at most (<=): the on-demand price" if ceilings else "",
        f"{unknown} without a known price (?)" if unknown else "",
        f"{own} on machines of your own" if own else "",
        f"{later} only planned, not deployed by this version" if later else "",
        f"{unplanned} without a plan" if unplanned else "",
    ]
    lines = [wrapped("; ".join(one for one in told if one), "", "  ")]
    if low != high:
        lines.append(wrapped("per hour: most replicas, first rung; per month: most replicas, dearest rung", "", "  "))
    return lines


def _months(cost: Cost) -> tuple[float, float]:
    """Fewest and most; of a ladder with a rung of unknown price only the fewest is known."""
    least = cost.monthly_usd_min or 0
    return least, least if cost.monthly_usd_max is None else cost.monthly_usd_max
