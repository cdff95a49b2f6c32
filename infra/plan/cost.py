"""What an endpoint costs, in USD, from list prices of its machines."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import Cost

HOURS_PER_MONTH = 730


def cost(catalog: Catalog, *, machine_type: str, capacity: str, replicas: int, budget_usd: float | None) -> Cost:
    """Cost of all replicas; where no list price is known for the capacity, the on-demand price is the ceiling.

    Raises:
        RefusedError: the budget is exceeded, or cannot be checked because no price is known.
    """
    price = catalog.prices.get(machine_type)
    exact = getattr(price, f"{capacity.replace('-', '_')}_usd_per_hour", None)
    ceiling = price.on_demand_usd_per_hour if price else None
    hourly = exact if exact is not None else ceiling
    if hourly is None:
        if budget_usd is not None:
            raise RefusedError(("budgetUsdPerMonth",), f"no dated list price of {machine_type} is known; leave it out.")
        return Cost(None, None, None, f"no dated list price of {machine_type} is known")
    if exact is not None:
        basis = f"{capacity} list price, {catalog.price_region}"
    else:
        basis = f"at most: on-demand list price, {catalog.price_region}; no {capacity} list price is known"
    monthly = hourly * replicas * HOURS_PER_MONTH
    if budget_usd is not None and monthly > budget_usd:
        raise RefusedError(
            ("budgetUsdPerMonth",),
            f"{replicas} x {machine_type} costs up to {monthly:,.0f} USD per month ({hourly:g} USD per hour x "
            f"{HOURS_PER_MONTH} h), over the budget of {budget_usd:,.0f}.",
        )
    return Cost(hourly * replicas, monthly if exact is not None else None, monthly, basis)
