"""A ComputeClass as the autoscaler reads it: rules in order of preference, and what pods say to choose it.

Source: GoogleCloudPlatform/compute-class-api (types.go) for the fields; GKE docs,
concepts/about-custom-compute-classes, for their meaning.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
CLASS_LABEL = "cloud.google.com/compute-class"
"""Key of the label and taint of a class's nodes, and of the selector of its pods."""
DEFAULT_CLASS = "default"
PRIORITY_INDEX = "ccc_priority_index"
"""Annotation of a node with the index of the rule that it came for (seen on a GKE cluster, 2026-09-11)."""
CLASSES_PATH = "/apis/cloud.google.com/v1/computeclasses"
SCALE_UP_ANYWAY = "ScaleUpAnyway"


@dataclass(frozen=True)
class Rule:
    """One entry of spec.priorities.

    Attributes:
        identifier: Its index in the list, as the status names it; "ScaleUpAnyway" for the implicit last rule.
        spec: Its fields, with those of priorityDefaults that it lacks.
    """

    identifier: str
    spec: Object

    @property
    def node_pools(self) -> list[str]:
        """Pools named by it; a rule with any has no other field."""
        return list(self.spec.get("nodepools") or [])

    @property
    def is_flex_start(self) -> bool:
        """Whether its nodes are bought as Flex-start."""
        return bool((self.spec.get("flexStart") or {}).get("enabled"))

    @property
    def reservations(self) -> list[Object]:
        """The specific reservations that it names."""
        return list((self.spec.get("reservations") or {}).get("specific") or [])

    @property
    def zones(self) -> list[str]:
        """Zones that it wants; empty for any. Those of a specific reservation are in its own list."""
        if self.reservations:
            return sorted({zone for one in self.reservations for zone in one.get("zones") or []})
        return list((self.spec.get("location") or {}).get("zones") or [])

    @property
    def gpu(self) -> tuple[str, int]:
        """GPU model and count; ("", 0) when it says none."""
        gpu = self.spec.get("gpu") or {}
        return str(gpu.get("type") or ""), int(gpu.get("count") or 0)

    @property
    def wait_seconds(self) -> float | None:
        """How long its nodes may wait for capacity; None for GKE's default."""
        given = self.spec.get("capacityCheckWaitTimeSeconds")
        return None if given is None else float(given)


@dataclass(frozen=True)
class ComputeClass:
    """A ComputeClass of a cluster.

    Attributes:
        name: Its name, which its pools carry as label and taint.
        rules: All rules, most preferred first.
        auto_creation: Whether pools are made for it.
        scale_up_anyway: Whether E2 nodes come when no rule can be met.
        pool_config: spec.nodePoolConfig.
        body: The object as read.
        is_default: Whether pods that select no class belong to it; its pools then have neither label nor taint.
    """

    name: str
    rules: tuple[Rule, ...]
    auto_creation: bool
    scale_up_anyway: bool
    pool_config: Object
    body: Object
    is_default: bool = False

    @property
    def tiers(self) -> list[list[Rule]]:
        """Rules by preference; those with the same priorityScore stand together."""
        keyed = itertools.groupby(self.rules, key=lambda rule: rule.spec.get("priorityScore") or rule.identifier)
        return [list(rules) for _, rules in keyed]

    def backs_off(self, rule: Rule) -> bool:
        """Whether a failure of a rule suspends it.

        Not the last one (ScaleUpAnyway counts as one), nor one that names pools or several reservations (GKE's
        autoscaler, pkg/backoff).
        """
        if rule.node_pools or len(rule.reservations) > 1 or rule.identifier == SCALE_UP_ANYWAY:
            return False
        return self.scale_up_anyway or rule is not self.rules[-1]


def read_class(body: Object, cluster: Object) -> ComputeClass:
    """The class that an object of the API describes.

    Args:
        body: The object, with the API server's defaults.
        cluster: The cluster's inputs: on Autopilot pools are made for every class, and the class named "default" may
            be that of all pods.
    """
    spec = body.get("spec") or {}
    defaults = {key: value for key, value in (spec.get("priorityDefaults") or {}).items() if value is not None}
    rules = []
    for index, given in enumerate(spec.get("priorities") or []):
        whole = given if given.get("nodepools") else {**defaults, **given}
        rules.append(Rule(str(index), whole))
    rules.sort(key=lambda rule: -int(rule.spec.get("priorityScore") or 0))
    managed = bool(cluster.get("enableAutopilot")) or bool((spec.get("autopilot") or {}).get("enabled"))
    return ComputeClass(
        name=body["metadata"]["name"],
        rules=tuple(rules),
        auto_creation=bool(cluster.get("enableAutopilot"))
        or managed
        or bool((spec.get("nodePoolAutoCreation") or {}).get("enabled")),
        scale_up_anyway=spec.get("whenUnsatisfiable") == SCALE_UP_ANYWAY,
        pool_config=spec.get("nodePoolConfig") or {},
        body=body,
        is_default=body["metadata"]["name"] == DEFAULT_CLASS
        and bool((cluster.get("clusterAutoscaling") or {}).get("defaultComputeClassEnabled")),
    )


def class_of(pod: Object) -> str:
    """The class that a pod selects, by its node selector or a required node affinity; "" for none."""
    spec = pod["spec"]
    selected = (spec.get("nodeSelector") or {}).get(CLASS_LABEL)
    if selected:
        return str(selected)
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or []:
        for expression in term.get("matchExpressions") or []:
            if expression["key"] == CLASS_LABEL and expression["operator"] == "In" and expression.get("values"):
                return str(expression["values"][0])
    return ""
