"""What charts, legends and totals show, as plain numbers that follow from the plans alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from infra.page import numbers
from infra.plan.quantities import Cost, Memory
from infra.plan.serving_plan import Rung, ServingPlan


@dataclass(frozen=True)
class Part:
    """One stretch of the memory bar. `colour` is the name of a colour of the style sheet."""

    colour: str
    name: str
    size_gib: float


@dataclass(frozen=True)
class Sum:
    """USD of several plans: the known prices together, how many are unknown, and whether all known are exact."""

    usd: float
    unknown: int
    exact: bool


def memory_parts(memory: Memory, concurrency: int) -> tuple[Part, ...]:
    """Parts of one accelerator in the order of the bar: what is needed first, what is never planned last.

    Args:
        memory: of the plan.
        concurrency: requests of full length that are guaranteed.
    """
    guaranteed = memory.need_gib - memory.weights_gib - memory.overhead_gib - memory.uncertainty_gib
    parts = (
        Part("weights", "Weights", memory.weights_gib),
        Part("overhead", "Overhead", memory.overhead_gib),
        Part("uncertain", "Kept for what is uncertain", memory.uncertainty_gib),
        Part("guaranteed", f"KV cache of {numbers.count(concurrency, 'guaranteed request')}", guaranteed),
        Part("free", "Free room for KV cache", memory.kv_cache_gib - guaranteed),
        Part("headroom", "Headroom, never planned", memory.headroom_gib - memory.uncertainty_gib),
    )
    return tuple(Part(part.colour, part.name, max(0.0, part.size_gib)) for part in parts)


def rung_name(rung: Rung) -> str:
    """How the rung is bought, and the machine or machines."""
    named = f" {rung.reservation}" if rung.reservation else ""
    machines = rung.machine_type if rung.nodes == 1 else f"{rung.nodes} x {rung.machine_type}"
    return f"{rung.capacity}{named}, {rung.count} on {machines}"


def total(plans: Sequence[ServingPlan], price: Callable[[Cost], float | None]) -> Sum:
    """Sum of one price over all plans."""
    known = [(usd, plan.cost.exact) for plan in plans if (usd := price(plan.cost)) is not None]
    return Sum(sum(usd for usd, _ in known), len(plans) - len(known), all(exact for _, exact in known))
