"""List prices of machines by the way they are bought."""

from __future__ import annotations

from infra.catalog.records import Catalog


def exact_usd_per_hour(catalog: Catalog, machine_type: str, capacity: str) -> float | None:
    """List price of a machine bought so, or None where no dated one is known."""
    price = catalog.prices.get(machine_type)
    prices = (
        {
            "on-demand": price.on_demand_usd_per_hour,
            "spot": price.spot_usd_per_hour,
            "flex-start": price.flex_start_usd_per_hour,
        }
        if price
        else {}
    )
    return prices.get(capacity)


def ceiling_usd_per_hour(catalog: Catalog, machine_type: str, capacity: str) -> float | None:
    """What a machine costs at most: its price, else its on-demand price, which no other way of buying exceeds."""
    exact = exact_usd_per_hour(catalog, machine_type, capacity)
    return exact if exact is not None else exact_usd_per_hour(catalog, machine_type, "on-demand")
