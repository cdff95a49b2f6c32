"""Whether the machines of a stack come, and whether they stay."""

from __future__ import annotations

from infra.batch_job import BatchJob
from infra.pipeline import Endpoint, ManagedEndpoint
from infra.plan.alternatives import TAKEN_AWAY
from infra.plan.serving_plan import AcceleratorChoice
from infra.review.records import CapacityRisk, Level
from infra.review.version import Version

_LEVELS: dict[str, Level] = {"reservation": "low", "on-demand": "medium", "flex-start": "high", "spot": "high"}
_SAID = {
    "reservation": "machines are reserved, so they are there when they are asked for",
    "on-demand": "machines stay once they have come; in a stock-out they do not come",
    **{kind: f"cheaper machines that Google takes back: each {text}" for kind, text in TAKEN_AWAY.items()},
}


def capacity_risk(version: Version | None) -> CapacityRisk | None:
    """The risk of the first way in which machines are bought, less where others follow it.

    A ladder's later rungs are tried where the first has no machines, so each of another kind lowers the risk by a
    level; one rung in one zone raises that of on-demand machines, as another zone's cannot stand in.
    """
    built = version.built if version else None
    if isinstance(built, ManagedEndpoint) and built.plan.accelerator is None:
        return CapacityRisk("none", "Google's own machines; none are asked for")
    if not isinstance(built, Endpoint | ManagedEndpoint | BatchJob) or built.plan.accelerator is None:
        return None
    chosen = built.plan.accelerator
    if chosen.capacity == "own":
        return CapacityRisk("none", "it runs on machines that are there")
    kinds = [chosen.capacity]
    if isinstance(built, Endpoint):
        kinds = list(dict.fromkeys(rung.capacity for rung in built.plan.ladder)) or kinds
    return CapacityRisk(_level(chosen, kinds), _sentence(chosen, kinds))


def _level(chosen: AcceleratorChoice, kinds: list[str]) -> Level:
    order: tuple[Level, ...] = ("low", "medium", "high")
    at = order.index(_LEVELS.get(chosen.capacity, "medium"))
    if chosen.capacity == "on-demand" and len(kinds) == 1 and len(chosen.zones) == 1:
        at += 1
    return order[max(0, min(2, at - (len(kinds) - 1)))]


def _sentence(chosen: AcceleratorChoice, kinds: list[str]) -> str:
    said = _SAID.get(chosen.capacity, f"bought as {chosen.capacity}")
    zones = f"; looked for in {len(chosen.zones)} zone{'s' if len(chosen.zones) != 1 else ''}" if chosen.zones else ""
    after = f"; where there are none, {', then '.join(kinds[1:])} is tried" if len(kinds) > 1 else ""
    return f"{chosen.capacity}: {said}{zones}{after}"
