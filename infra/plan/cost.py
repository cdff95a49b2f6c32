"""What an endpoint costs, in USD, from list prices of its machines."""

from __future__ import annotations

import math

from infra.plan.candidates import Candidate
from infra.plan.prices import exact_usd_per_hour
from infra.plan.quantities import Cost
from infra.plan.refusal import RefusedError
from infra.plan.request import Request

HOURS_PER_MONTH = 730


def cost(request: Request, chosen: Candidate) -> Cost:
    """Cost of one rung at fewest and most replicas; without a price of the capacity, on-demand is the ceiling.

    Spare machines count in the monthly maximum as if they ran all month: a roll-out that fails keeps them.
    """
    replicas, kind, machine = request.spec.replicas, chosen.capacity.kind, chosen.machine.machine_type
    hourly = chosen.usd_per_hour
    tokens, tokens_basis = _per_million_tokens(request, chosen)
    if hourly is None:
        why = "a machine of your own: no list price" if kind == "own" else f"no dated list price of {machine} is known"
        return Cost(None, None, None, False, why, None, tokens_basis)
    exact = exact_usd_per_hour(request.catalog, machine, kind, vertex=request.on_vertex) is not None
    region = request.catalog.price_region
    of = " of a Vertex AI replica" if request.on_vertex else ""
    basis = (
        f"{kind} list price{of}, {region}"
        if exact
        else f"at most: on-demand list price{of}, {region}; no {kind} list price is known"
    )
    note = request.catalog.prices[machine].note
    return Cost(
        hourly_usd=hourly * replicas.most,
        monthly_usd_min=hourly * replicas.min * HOURS_PER_MONTH,
        monthly_usd_max=hourly * replicas.machines * HOURS_PER_MONTH,
        exact=exact,
        basis=f"{basis}; {note}" if note else basis,
        usd_per_million_output_tokens=tokens,
        tokens_basis=tokens_basis,
    )


def check_budget(request: Request, rungs: list[tuple[Candidate, Cost]]) -> None:
    """Refuse a plan of which any rung can cost more than the budget.

    Raises:
        RefusedError: a rung is over the budget, or has no known price.
    """
    budget_usd, field = request.spec.budgetUsdPerMonth, ("budgetUsdPerMonth",)
    if budget_usd is None:
        return
    for chosen, price in rungs:
        machine, replicas = chosen.machine.machine_type, request.spec.replicas.most
        if price.monthly_usd_max is None or chosen.usd_per_hour is None:
            raise RefusedError(field, f"{price.basis}; leave it out.")
        if price.monthly_usd_max > budget_usd:
            each, number = chosen.usd_per_hour / chosen.nodes, replicas * chosen.nodes
            spare = request.spec.replicas.spare
            fewer = ", or plan fewer replicas" if replicas > 1 else ", or leave replicas.spare out" if spare else ""
            held = f" with {spare} spare for roll-outs" if spare else ""
            raise RefusedError(
                field,
                f"{number} x {machine}{held} costs up to {price.monthly_usd_max:,.0f} USD per month "
                f"({each:g} USD per hour x {HOURS_PER_MONTH} h), over the budget of {budget_usd:,.0f}. "
                f"Write {math.ceil(price.monthly_usd_max)} or more{fewer}.",
            )


def _per_million_tokens(request: Request, chosen: Candidate) -> tuple[float | None, str]:
    """USD per million output tokens at full load, where somebody measured just this and said how."""
    for row in request.catalog.throughputs:
        what = (request.model.id, chosen.checkpoint.precision, request.framework.name, request.accelerator.id)
        same = (
            (row.model, row.precision, row.framework, row.accelerator) == what
            and row.count == chosen.count
            and chosen.nodes == 1
        )
        if same and chosen.usd_per_hour is not None:
            usd = chosen.usd_per_hour / (row.output_tokens_per_second * 3600) * 1e6
            return usd, f"{row.output_tokens_per_second:,.0f} output tokens per second measured: {row.conditions}"
    return None, "no measured throughput with a source is known"
