"""List prices of machines by the way they are bought."""

from __future__ import annotations

from infra.catalog.records import Catalog


def exact_usd_per_hour(catalog: Catalog, machine_type: str, capacity: str, *, vertex: bool = False) -> float | None:
    """List price of a machine bought so, or None where no dated one is known.

    Args:
        catalog: the facts.
        machine_type: of Compute Engine.
        capacity: how it is bought.
        vertex: whether it serves a replica of a Vertex AI endpoint, which has prices of its own.
    """
    price = catalog.prices.get(machine_type)
    if vertex:
        return price.vertex_usd_per_hour if price and capacity == "on-demand" else None
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


def ceiling_usd_per_hour(catalog: Catalog, machine_type: str, capacity: str, *, vertex: bool = False) -> float | None:
    """What a machine costs at most: its price, else its on-demand price, which no other way of buying exceeds."""
    exact = exact_usd_per_hour(catalog, machine_type, capacity, vertex=vertex)
    return exact if exact is not None else exact_usd_per_hour(catalog, machine_type, "on-demand", vertex=vertex)
