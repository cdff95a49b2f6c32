"""Many plans as text of at most 80 columns: a line for each, then totals."""

from __future__ import annotations

from collections.abc import Sequence

from infra.fleet import Plan, Total, total, totals
from infra.plan.managed import ManagedPlan
from infra.text import WIDTH, counted, wrapped

_HEAD = ("stack", "accelerators", "USD/h", "USD/month", "full")
_HOURLY = 2
_VALUE = 28


def fleet_text(plans: Sequence[Plan], unplanned: Sequence[str] = (), label: str = "team") -> str:
    """One line per stack, sorted, then totals, in all and by label; what has no known price is counted apart.

    Args:
        plans: of the stacks that can be served.
        unplanned: names of stacks that cannot; why is told elsewhere.
        label: by whose values costs are summed, where any stack has it.
    """
    if not plans and not unplanned:
        return "no endpoints\n"
    rows = sorted([*(_cells(plan) for plan in plans), *((name, "no plan", "-", "-", "-") for name in unplanned)])
    labelled = any(label in dict(plan.labels) for plan in plans)
    by_label = ["", *_by_label(plans, label)] if labelled else []
    return "\n".join([*_table([_HEAD, *rows]), *_totals(plans, len(unplanned)), *by_label]) + "\n"


def _cells(plan: Plan) -> tuple[str, ...]:
    accelerator, cost, memory = plan.accelerator, plan.cost, plan.memory
    if accelerator is None:
        return plan.stack, plan.framework.name, "by token" if _charged(plan) else "free", "-", "-"
    replicas = f"{plan.replicas}x" if plan.replicas > 1 else ""
    shape = f"{replicas}{accelerator.count} {accelerator.type}"
    hour, month = _price(cost.hourly_usd, cost.exact, cents=True), _price(cost.monthly_usd_max, cost.exact)
    full = f"{100 * memory.need_gib / memory.have_gib:.0f}%" if memory else "-"
    if accelerator.capacity == "own":
        return plan.stack, shape, "own", "own", full
    return plan.stack, shape, hour, month, full


def _charged(plan: Plan) -> bool:
    price = plan.token_price if isinstance(plan, ManagedPlan) else None
    return price is not None and price.input_usd_per_million is not None


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


def _totals(plans: Sequence[Plan], unplanned: int) -> list[str]:
    everything = total(plans)
    ceilings = sum(not plan.cost.exact for plan in plans if plan.cost.hourly_usd is not None)
    later = sum(bool(plan.only_planned) for plan in plans if not isinstance(plan, ManagedPlan))
    month = _month(everything)
    stacks = counted(len(plans) + unplanned, "stack")
    told = [
        f"{stacks}: {everything.hourly_usd:,.2f} USD per hour, {month} per month",
        f"{ceilings} at most (<=): the on-demand price" if ceilings else "",
        f"{everything.unpriced} without a known price (?)" if everything.unpriced else "",
        f"{everything.own} on machines of your own" if everything.own else "",
        f"{everything.by_token} without a price by the hour (Google's own machines)" if everything.by_token else "",
        f"{later} only planned, not deployed by this version" if later else "",
        f"{unplanned} without a plan" if unplanned else "",
    ]
    lines = [wrapped("; ".join(one for one in told if one), "", "  ")]
    if " to " in month:
        lines.append(wrapped("per hour: most replicas, first rung; per month: most replicas, dearest rung", "", "  "))
    return lines


def _month(one: Total) -> str:
    """Fewest and most; of a ladder with a rung of unknown price only the fewest is known."""
    low, high = f"{one.monthly_usd_min:,.0f}", f"{one.monthly_usd_max:,.0f}"
    return low if low == high else f"{low} to {high}"


def _by_label(plans: Sequence[Plan], label: str) -> list[str]:
    """A line for each value of the label; a value longer than the table allows is cut."""
    rows = [(label, "stacks", "USD/h", "USD/month")]
    for one in totals(plans, label):
        mark, unknown = "" if one.exact else "<=", f" + {one.unpriced}?" if one.unpriced else ""
        hour, month = f"{mark}{one.hourly_usd:,.2f}", f"{mark}{_month(one)}{unknown}"
        value = "(none)" if one.value is None else one.value
        rows.append((value if len(value) <= _VALUE else f"{value[: _VALUE - 3]}...", str(one.stacks), hour, month))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(f"{cell:{'>' if place else '<'}{widths[place]}}" for place, cell in enumerate(row)) for row in rows
    ]
