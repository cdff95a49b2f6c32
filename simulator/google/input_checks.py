"""Inputs checked before anything is asked of Google: forms, words, and what excludes what.

Sources: the ValidateFunc, ExactlyOneOf and ConflictsWith entries of each type; Terraform's words for the last two are
those of its SDK (validateExactlyOneAttribute, validateConflictingAttributes), as pulumi/pulumi #8638 and
terraform-google-artifact-registry #39 show them.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.google.choices import choice_failures
from simulator.google.resource_type import ResourceType
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.schema import CLUSTER, Failure, snake_case
from simulator.google.wire import Properties, is_unknown

_NOT_WITH_AUTOPILOT = (
    "addonsConfig.dnsCacheConfig",
    "addonsConfig.networkPolicyConfig",
    "addonsConfig.statefulHaConfig",
    "binaryAuthorization.enabled",
    "clusterAutoscaling.enabled",
    "clusterAutoscaling.resourceLimits",
    "defaultMaxPodsPerNode",
    "enableIntranodeVisibility",
    "enableShieldedNodes",
    "networkPolicy",
    "nodePools",
    "removeDefaultNodePool",
)
"""ConflictsWith enable_autopilot in magic-modules' resource_container_cluster.go.tmpl; as there, whatever its value."""
_CLUSTER_CONFLICTS = (("clusterIpv4Cidr", "ipAllocationPolicy"),)


def input_failures(token: str, inputs: Properties) -> list[Failure]:
    """Everything wrong with a resource's inputs that have the right form."""
    found = choice_failures(token, inputs)
    if token == CLUSTER:
        if inputs.get("enableAutopilot") is not None:
            found += _conflicts(inputs, tuple((path, "enableAutopilot") for path in _NOT_WITH_AUTOPILOT))
        return found + _conflicts(inputs, _CLUSTER_CONFLICTS)
    kind = RESOURCE_TYPES.get(token)
    if kind is None:
        return found
    found += _patterns(kind, inputs) + _conflicts(inputs, kind.conflicts) + _exactly_one(kind, inputs)
    return found + _lacks(inputs, kind.required_with)


def _patterns(kind: ResourceType, inputs: Properties) -> list[Failure]:
    found = []
    for pattern in kind.patterns:
        value = _at(inputs, pattern.path)
        if value is None or is_unknown(value) or re.fullmatch(pattern.regex, str(value)):
            continue
        name = snake_case(pattern.path)
        text = pattern.message.replace("{regex}", pattern.regex).replace("{name}", name).replace("{value}", str(value))
        found.append(Failure(pattern.path, text))
    return found


def _conflicts(inputs: Properties, pairs: tuple[tuple[str, str], ...]) -> list[Failure]:
    return [
        Failure(
            one,
            f'Conflicting configuration arguments. "{_terraform(one)}": conflicts with {_terraform(other)}',
        )
        for one, other in pairs
        if _at(inputs, one) is not None and _at(inputs, other) is not None and not is_unknown(_at(inputs, other))
    ]


def _lacks(inputs: Properties, pairs: tuple[tuple[str, str], ...]) -> list[Failure]:
    """Inputs that need others: validateRequiredWithAttribute of Terraform's SDK; its summary is from memory."""
    return [
        Failure(
            one,
            f'Missing required argument. "{_terraform(one)}": all of '
            f"`{','.join(sorted((_terraform(one), _terraform(other))))}` must be specified",
        )
        for one, other in pairs
        if _at(inputs, one) is not None and _at(inputs, other) is None
    ]


def _exactly_one(kind: ResourceType, inputs: Properties) -> list[Failure]:
    found = []
    for group in kind.one_of:
        parent = group[0].rpartition(".")[0]
        block = _at(inputs, parent)
        if not isinstance(block, dict):
            continue
        given = [path for path in group if _at(inputs, path) is not None]
        names = ",".join(sorted(map(_terraform, group)))
        if not given:
            text = f'"{_terraform(group[0])}": one of `{names}` must be specified'
        elif len(given) > 1:
            both = ",".join(sorted(map(_terraform, given)))
            text = f'"{_terraform(given[0])}": only one of `{names}` can be specified, but `{both}` were specified.'
        else:
            continue
        path = given[0] if given else group[0]
        found.append(Failure(path, f"Invalid combination of arguments. {text}"))
    return found


def _at(inputs: Any, path: str) -> Any:
    for key in path.split("."):
        inputs = inputs.get(key) if isinstance(inputs, dict) else None
    return inputs


def _terraform(path: str) -> str:
    """A path as Terraform names it, where a block is a list of one."""
    return ".0.".join(snake_case(key) for key in path.split("."))
