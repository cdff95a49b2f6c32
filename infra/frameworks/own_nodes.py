"""What binds pods to nodes of a cluster that is there."""

from __future__ import annotations

from infra.plan.placed import Placed

Toleration = dict[str, str | int]


def own_tolerations(plan: Placed) -> tuple[Toleration, ...]:
    """Tolerations of the taints that such nodes may have; one without a value stands for every value."""
    return tuple(
        {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"}
        if value
        else {"key": key, "operator": "Exists", "effect": "NoSchedule"}
        for key, value in plan.accelerator.taints
    )
