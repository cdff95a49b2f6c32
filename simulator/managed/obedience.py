"""Carrying out orders in a world: faults, how deployments go, limits, and what a person does by hand."""

from __future__ import annotations

from typing import Any

from simulator.managed.faults import Fault, Outcome
from simulator.managed.orders import Order
from simulator.managed.world import World


def obey(world: World, orders: list[Order]) -> None:
    """Carry out orders; what one names and is not there is left."""
    for order in orders:
        given = {name: value for name, value in order.items() if name != "do"}
        match order.get("do"):
            case "fault":
                world.faults.append(Fault(**given))
            case "outcome":
                world.outcomes.append(Outcome(**given))
            case "limit":
                _limit(world, **given)
            case "forget":
                forget(world, given["id"], given["with_model"])
            case "put":
                put(world, given["project"], given["location"], given["id"])
            case "heal":
                heal(world)


def heal(world: World) -> None:
    """Take back all faults, outcomes and limits."""
    world.faults.clear()
    world.outcomes.clear()
    world.limits.per_minute.clear()


def forget(world: World, identity: str, with_model: bool) -> None:
    """Delete the endpoints of an id as a person in the console does, and the Registry's entries of the id if asked."""
    for region in world.regions():
        region.endpoints.pop(identity, None)
        if with_model:
            region.models.pop(identity, None)


def put(world: World, project: str, location: str, identity: str) -> dict[str, Any]:
    """Put somebody else's endpoint in a place, instead of what is there under the id; return it."""
    region = world.region(project, location)
    deployed = {
        "id": str(6_000_000_000_000_000_000 + world.count()),
        "model": f"{region.parent}/models/made-by-hand",
        "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-4"}, "minReplicaCount": 1},
    }
    region.endpoints[identity] = {
        "name": f"{region.parent}/endpoints/{identity}",
        "displayName": "made-by-hand",
        "labels": {"team": "another"},
        "deployedModels": [deployed],
        "createTime": "2026-01-01T00:00:00Z",
    }
    return region.endpoints[identity]


def _limit(world: World, model: str, per_minute: int | None) -> None:
    world.limits.per_minute.pop(model, None)
    if per_minute is not None:
        world.limits.per_minute[model] = per_minute
