"""The ComputeClass of an endpoint, by which its pods choose among its machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.plan.class_rules import class_node_config, class_rules
from infra.plan.serving_plan import ServingPlan


@dataclass(frozen=True)
class ComputeClass:
    """A class and its rules, best first.

    `auto_creation` is one switch, and `node_config` one mapping, where GKE makes the pools; else nothing.
    """

    name: str
    priorities: tuple[dict[str, Any], ...]
    auto_creation: tuple[dict[str, bool], ...]
    node_config: tuple[dict[str, str], ...]


def compute_class(plan: ServingPlan) -> ComputeClass | None:
    """The class, or None where the pods select their one pool."""
    found = plan.node_pools
    if not found.compute_class:
        return None
    switches: tuple[dict[str, bool], ...] = ({"enabled": True},) if found.kind == "autopilot" else ()
    return ComputeClass(found.compute_class, class_rules(plan, found), switches, class_node_config(found))
