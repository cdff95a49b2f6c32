"""State surgery after an `up` that was killed: what it was making when it died is adopted if it exists and is ours.

The engine notes a resource as a pending operation before it asks the provider for it, and forgets it at the next
`up`, which then fails because the object exists. These pure functions edit exported state: first every pending create
with a predictable id becomes a protected resource, so that `pulumi refresh` reads it; then, with what refresh found,
resources that carry the stack's mark stay and are unprotected, and all others leave the state untouched in the cloud.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

State = dict[str, Any]
MARK = "servestack.dev/stack"
_LABELS = ("servestack-endpoint", "servestack-platform")
# Both flags together mark what is not yet known to be ours: nothing can delete it meanwhile, and a recovery that is
# itself killed finds it again. The program never sets both.
_UNVERIFIED = ("protect", "retainOnDelete")


def adopt_pending(state: State) -> tuple[State, list[str], list[str]]:
    """Turn pending creates into protected resources, and drop the other pending operations.

    Args:
        state: what `pulumi stack export` prints.

    Returns:
        Edited state, URNs to be verified after a refresh, URNs forgotten because they have no id of their own.
    """
    edited = copy.deepcopy(state)
    deployment = edited["deployment"]
    resources: list[State] = deployment.setdefault("resources", [])
    forgotten = []
    for operation in deployment.pop("pending_operations", None) or []:
        if operation["type"] != "creating":
            continue
        resource = operation["resource"]
        urn, identifier = resource["urn"], _identifier(resource)
        place = _place(resources, urn)
        if identifier is None or place is None:
            forgotten.append(urn)
            continue
        made = {**resource, "id": identifier, "outputs": copy.deepcopy(resource.get("inputs", {}))}
        resources[place] = [made | dict.fromkeys(_UNVERIFIED, True)]
    adopted = [one["urn"] for one in resources if all(one.get(flag) for flag in _UNVERIFIED)]
    return edited, adopted, forgotten


def _place(resources: list[State], urn: str) -> slice | None:
    """Where a resource goes that was being made; None where the state has it already.

    After a delete-first replacement the engine keeps the deleted one as `pendingReplacement`: that one's place.
    """
    for index, resource in enumerate(resources):
        if resource["urn"] == urn and not resource.get("delete"):
            return slice(index, index + 1) if resource.get("pendingReplacement") else None
    return slice(len(resources), len(resources))


def keep_ours(state: State, adopted: list[str], stack: str) -> tuple[State, list[str], list[str]]:
    """After a refresh: keep adopted resources that carry the stack's mark, drop the rest from the state.

    Returns:
        Edited state, URNs that were kept, URNs that exist but belong to someone else.
    """
    edited = copy.deepcopy(state)
    kept, foreign, resources = [], [], []
    for resource in edited["deployment"].get("resources", []):
        if resource["urn"] in adopted:
            if not is_ours(resource, stack):
                foreign.append(resource["urn"])
                continue
            for flag in _UNVERIFIED:
                resource.pop(flag, None)
            kept.append(resource["urn"])
        resources.append(resource)
    gone = set(foreign)
    for resource in resources:
        resource["dependencies"] = [urn for urn in resource.get("dependencies") or [] if urn not in gone]
        by_property = resource.get("propertyDependencies") or {}
        for name, urns in by_property.items():
            by_property[name] = [urn for urn in urns or [] if urn not in gone]
    edited["deployment"]["resources"] = [one for one in resources if one.get("parent") not in gone]
    return edited, kept, foreign


def is_ours(resource: State, stack: str) -> bool:
    """Whether a refreshed resource carries the mark that this stack puts on what it makes."""
    outputs = resource.get("outputs", {})
    annotations = outputs.get("metadata", {}).get("annotations") or {}
    labels: dict[str, str] = outputs.get("resourceLabels") or {}
    for key in ("nodeConfig", "nodeConfigs"):
        config = outputs.get(key)
        config = config[0] if isinstance(config, list) and config else config
        labels = {**labels, **((config or {}).get("resourceLabels") or {})}
    return annotations.get(MARK) == stack or any(labels.get(key) == stack for key in _LABELS)


def _identifier(resource: State) -> str | None:
    kind, inputs = resource["type"], resource.get("inputs", {})
    if kind.startswith("kubernetes:"):
        metadata = inputs.get("metadata", {})
        name, namespace = metadata.get("name"), metadata.get("namespace")
        return f"{namespace}/{name}" if namespace and name else name
    make = _GOOGLE.get(kind)
    return make(inputs) if make else None


def _cluster(inputs: State) -> str:
    return f"projects/{inputs['project']}/locations/{inputs['location']}/clusters/{inputs['name']}"


def _node_pool(inputs: State) -> str:
    return f"{_cluster(inputs | {'name': inputs['cluster']})}/nodePools/{inputs['name']}"


_GOOGLE: dict[str, Callable[[State], str]] = {
    "gcp:container/cluster:Cluster": _cluster,
    "gcp:container/nodePool:NodePool": _node_pool,
}
