"""Scaling for pods that select a ComputeClass, or run on Autopilot: rules in order, back-off, status."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from simulator.google import autopilot, class_conditions, class_pools, pool_inputs
from simulator.google.class_backoff import ResourceBackoff, RuleBackoff
from simulator.google.compute_class import (
    CLASSES_PATH,
    DEFAULT_CLASS,
    SCALE_UP_ANYWAY,
    ComputeClass,
    Object,
    Rule,
    class_of,
    read_class,
)
from simulator.google.fitting import reasons_against
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError
from simulator.google.machine_types import Compute, is_region, region_of
from simulator.google.node_group import NodeGroup
from simulator.google.nodes import Nodes, timestamp
from simulator.google.shortage import Shortage
from simulator.google.state import State
from simulator.google.timing import Timing

_MERGE = "application/merge-patch+json"
_ANYWAY = Rule(SCALE_UP_ANYWAY, {"machineFamily": "e2"})
"""What ScaleUpAnyway adds on a Standard cluster (GKE docs, custom compute classes)."""


class ClassScaling:
    """The classes of one cluster, with what has failed for them."""

    def __init__(self, state: State, compute: Compute, nodes: Nodes, api: KubernetesApi) -> None:
        self._state = state
        self._compute = compute
        self._nodes = nodes
        self._api = api
        self._rules = RuleBackoff()
        self._resources = ResourceBackoff()
        self._classes: dict[str, ComputeClass] = {}
        self._cluster: Object = {}
        self._reported: dict[str, Any] = {}

    def refresh(self, cluster: Object) -> None:
        """Read the classes anew."""
        self._cluster = cluster
        try:
            found = self._api.items(CLASSES_PATH)
        except KubernetesError as error:
            if error.code != 404:
                raise
            found = []
        self._classes = {body["metadata"]["name"]: read_class(body, cluster["inputs"]) for body in found}

    def name_for(self, pod: Object) -> str:
        """The class that a pod selects, else the cluster's default; "" for none."""
        default = self._classes.get(DEFAULT_CLASS)
        return class_of(pod) or (DEFAULT_CLASS if default and default.is_default else "")

    @property
    def makes_pools(self) -> bool:
        """Whether nodes may come without any autoscaled pool."""
        managed = autopilot.is_autopilot(self._cluster["inputs"])
        return managed or any(one.auto_creation for one in self._classes.values())

    def options(self, pod: Object, name: str, groups: list[NodeGroup], now: float) -> list[NodeGroup]:
        """Groups that may grow for a pod by the first rule that can be met; none if no rule can."""
        chosen = self._classes.get(name)
        if chosen is None:
            return []
        for tier in chosen.tiers:
            found = [option for rule in tier for option in self._by_rule(pod, chosen, rule, groups, now)]
            if found:
                return found
        return self._by_rule(pod, chosen, _ANYWAY, groups, now) if chosen.scale_up_anyway else []

    def autopilot_options(self, pod: Object, name: str, now: float) -> list[NodeGroup]:
        """Pools that Autopilot would make for a pod without a class, or with a built-in one."""
        if not autopilot.is_autopilot(self._cluster["inputs"]) or (name and name not in autopilot.BUILT_IN):
            return []
        rule = autopilot.rule_for(pod)
        return self._new(pod, None, rule, now) if rule else []

    def is_suspended(self, group: NodeGroup, name: str, now: float) -> bool:
        """Whether back-off of a class or of a GPU model keeps a group from growing."""
        chosen = self._classes.get(name)
        rules = [rule for rule in chosen.rules if self._takes(rule, group)] if chosen else []
        return self._is_short(group, now) or (
            bool(rules) and all(self._rules.is_active(name, rule.identifier, group.zone, now) for rule in rules)
        )

    def failed(self, group: NodeGroup, shortage: Shortage, now: float, timing: Timing) -> None:
        """Note that a node could not be had."""
        gpu = pool_inputs.accelerator(group.inputs)[0]
        if gpu and shortage.code == "GCE_STOCKOUT" and group.is_automatic:
            self._resources.fail(gpu, group.machine_type.family, group.zone, group.buying, now, timing)
        if group.rule is None or group.rule[0] not in self._classes:
            return
        name, identifier = group.rule
        chosen = self._classes[name]
        rule = next((one for one in chosen.rules if one.identifier == identifier), None)
        if rule is None or not chosen.backs_off(rule):
            return
        everywhere = shortage.code == "GCE_QUOTA_EXCEEDED"
        zones = self._compute.zones_of(region_of(group.zone)) if everywhere else [group.zone]
        self._rules.fail(name, identifier, zones, shortage.condition_reason, now, timing)

    def idle_seconds(self, group: NodeGroup, timing: Timing) -> float:
        """How long a node of a group must be unneeded before it goes: the class's own delay, where it has one."""
        chosen = self._classes.get(class_conditions.class_labels(group.inputs))
        policy = ((chosen.body.get("spec") or {}).get("autoscalingPolicy") or {}) if chosen else {}
        minutes = policy.get("consolidationDelayMinutes")
        return timing.scale_down_seconds if minutes is None else float(minutes) * 60

    def report(self, now: float) -> None:
        """Write each class's status where it has changed."""
        pools = {
            name: record["inputs"]
            for name, record in self._cluster["nodePools"].items()
            if record["inputs"].get("autoscaling")
        }
        zones = self._zones()
        reservations: dict[str, set[str]] = {}
        for one in self._state.read().get("reservations", []):
            reservations.setdefault(one["name"], set()).add(one["machineType"])
        for chosen in self._classes.values():
            own = class_conditions.conditions(self._compute, chosen, pools, zones, reservations)
            ladder = [
                {
                    "identifier": rule.identifier,
                    "conditions": [
                        *class_conditions.rule_conditions(self._compute, rule, zones, reservations),
                        *self._suspension(chosen, rule, now),
                    ],
                }
                for rule in sorted(chosen.rules, key=lambda rule: int(rule.identifier))
            ]
            if chosen.scale_up_anyway:
                ladder.append({"identifier": SCALE_UP_ANYWAY, "conditions": []})
            self._write(chosen, {"conditions": own, "priorityStatuses": ladder})

    def _suspension(self, chosen: ComputeClass, rule: Rule, now: float) -> list[Object]:
        """Texts: GKE's autoscaler, CrdBackoffObserver."""
        suspended, reason, until = self._rules.suspended(chosen.name, rule.identifier, now)
        if not suspended:
            return []
        wall = datetime.datetime.fromtimestamp(until, datetime.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        whole = set(self._offering(rule)) <= set(suspended)
        text = (
            f"NodeProvisioning associated with this priority failed due to the {reason} error. "
            f"Backing off the priority until {wall}."
            if whole
            else f"NodeProvisioning of the node pools associated with this priority failed due to the {reason} error. "
            f"In backoff until {wall}."
        )
        kind = "ProvisioningSuspended" if whole else "ProvisioningConstrained"
        return [{"type": kind, "status": "True", "reason": reason, "message": text}]

    def _write(self, chosen: ComputeClass, status: Object) -> None:
        meta = chosen.body["metadata"]
        key = meta.get("uid") or chosen.name
        if self._reported.get(key) == status:
            return
        stamped = {
            "conditions": [one | {"lastTransitionTime": timestamp()} for one in status["conditions"]],
            "priorityStatuses": [
                rule | {"conditions": [one | {"lastTransitionTime": timestamp()} for one in rule["conditions"]]}
                for rule in status["priorityStatuses"]
            ],
        }
        try:
            self._api.request("PATCH", f"{CLASSES_PATH}/{chosen.name}/status", {"status": stamped}, _MERGE)
        except KubernetesError as error:
            if error.code != 404:
                raise
        self._reported[key] = status

    def _by_rule(
        self, pod: Object, chosen: ComputeClass, rule: Rule, groups: list[NodeGroup], now: float
    ) -> list[NodeGroup]:
        found = [
            dataclasses.replace(group, rule=(chosen.name, rule.identifier), wait_seconds=rule.wait_seconds)
            for group in groups
            if class_conditions.serves(group.inputs, chosen)
            and self._takes(rule, group)
            and group.room_to_grow
            and not self._is_short(group, now)
            and not self._rules.is_active(chosen.name, rule.identifier, group.zone, now)
            and not reasons_against(pod, group.template())
        ]
        if chosen.auto_creation and not rule.node_pools:
            found += self._new(pod, chosen, rule, now)
        return found

    def _takes(self, rule: Rule, group: NodeGroup) -> bool:
        if rule is _ANYWAY:
            return True
        if rule.node_pools:
            return group.pool in rule.node_pools
        return class_pools.matches(rule, group.inputs, self._compute) and group.zone in self._zones_of(rule)

    def _new(self, pod: Object, chosen: ComputeClass | None, rule: Rule, now: float) -> list[NodeGroup]:
        """Groups of pools that could be made; none where such a pool is there already."""
        made = [one["inputs"] for one in self._cluster["nodePools"].values() if one.get("autoprovisioned")]
        inputs = self._cluster["inputs"]
        for pool in class_pools.new_pools(self._compute, self._nodes.location, inputs, rule, chosen, pod):
            if pool in made:
                continue
            found = []
            for zone in pool["nodeLocations"]:
                group = NodeGroup(
                    *(self._compute, self._nodes.project, self._nodes.cluster, "", zone, pool, 0, 0, 0),
                    most=class_pools.MOST_NODES,
                    zone_most=None,
                    rule=(chosen.name, rule.identifier) if chosen else None,
                    wait_seconds=rule.wait_seconds,
                    is_new=True,
                    is_automatic=True,
                )
                suspended = chosen and self._rules.is_active(chosen.name, rule.identifier, zone, now)
                if not suspended and not self._is_short(group, now) and not reasons_against(pod, group.template()):
                    found.append(group)
            if found:
                return found
        return []

    def _is_short(self, group: NodeGroup, now: float) -> bool:
        """Resource-based back-off; pools of a reservation do not heed it."""
        gpu = pool_inputs.accelerator(group.inputs)[0]
        if not gpu or pool_inputs.specific_reservation(group.inputs) or not group.is_automatic:
            return False
        return self._resources.is_active(gpu, group.machine_type.family, group.zone, group.buying, now)

    def _zones(self) -> list[str]:
        location = self._nodes.location
        return self._compute.zones_of(location) if is_region(location) else [location]

    def _offering(self, rule: Rule) -> list[str]:
        machines = class_pools.machine_types(self._compute, rule)
        return [
            zone
            for zone in self._zones_of(rule)
            if any(self._compute.is_offered(machine, zone) for machine in machines)
        ]

    def _zones_of(self, rule: Rule) -> list[str]:
        return [zone for zone in self._zones() if zone in (rule.zones or [zone])]
