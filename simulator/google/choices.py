"""Inputs that take one of a few words, checked before anything is created.

Source: the ValidateFunc entries of magic-modules' resource_container_node_pool.go.tmpl, node_config.go.tmpl
and resource_container_cluster.go.tmpl, and the wording of Terraform's validation.StringInSlice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.schema import CLUSTER, NODE_POOL, Failure, snake_case
from simulator.google.wire import Properties, is_unknown

_NODE_CONFIG = {
    "nodeConfig.taints.effect": ("NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"),
    "nodeConfig.workloadMetadataConfig.mode": ("MODE_UNSPECIFIED", "GCE_METADATA", "GKE_METADATA"),
    "nodeConfig.reservationAffinity.consumeReservationType": (
        "UNSPECIFIED",
        "NO_RESERVATION",
        "ANY_RESERVATION",
        "SPECIFIC_RESERVATION",
    ),
}
_CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    NODE_POOL: {"autoscaling.locationPolicy": ("BALANCED", "ANY"), **_NODE_CONFIG},
    CLUSTER: {
        "releaseChannel.channel": ("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
        "networkingMode": ("VPC_NATIVE", "ROUTES"),
        **_NODE_CONFIG,
    },
}


def choice_failures(token: str, inputs: Properties) -> list[Failure]:
    """Every word that is not one of its choices."""
    found = []
    described = RESOURCE_TYPES.get(token)
    for path, allowed in (described.choices if described else _CHOICES[token]).items():
        for pulumi_path, terraform_path, value in _values(inputs, path.split("."), "", ""):
            if value is None or is_unknown(value) or value in allowed:
                continue
            words = " ".join(f'"{word}"' for word in allowed)
            found.append(Failure(pulumi_path, f"expected {terraform_path} to be one of [{words}], got {value}"))
    return found


def _values(value: Any, keys: list[str], pulumi_path: str, terraform_path: str) -> Iterator[tuple[str, str, Any]]:
    """Each value at a path, with its path in Pulumi and in Terraform (where a block is a list of one)."""
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from _values(one, keys, f"{pulumi_path}[{index}]", f"{terraform_path}.{index}")
    elif not keys:
        yield pulumi_path, terraform_path, value
    elif isinstance(value, dict) and keys[0] in value:
        inner = value[keys[0]]
        name = snake_case(keys[0]).removesuffix("s") if isinstance(inner, list) else snake_case(keys[0])
        here = f"{pulumi_path}.{keys[0]}".lstrip(".")
        there = f"{terraform_path}.{name}".lstrip(".") + (".0" if isinstance(inner, dict) else "")
        yield from _values(inner, keys[1:], here, there)
