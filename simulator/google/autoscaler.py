"""The autoscaler of one simulated cluster: adds nodes for pods that cannot be placed, removes idle ones."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulator.google import pool_inputs, scale_events
from simulator.google.backoff import Backoff
from simulator.google.faults import Faults
from simulator.google.fitting import Object, Room, reasons_against, room_on
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError
from simulator.google.machine_types import Compute
from simulator.google.node_group import NodeGroup, node_groups
from simulator.google.nodes import Nodes
from simulator.google.scale_down import ScaleDown
from simulator.google.state import State
from simulator.google.timing import Timing

_LOG = logging.getLogger(__name__)
IN_BACKOFF = "in backoff after failed scale-up"
AT_MAXIMUM = "max node group size reached"
_STARTUP_TAINTS = ("node.kubernetes.io/not-ready", "node.cloudprovider.kubernetes.io/uninitialized")


@dataclass
class _Coming:
    """A node that has been asked for."""

    group: NodeGroup
    asked: float
    pods: list[Object] = field(default_factory=list)


class Autoscaler:
    """One thread that watches a cluster."""

    def __init__(self, state: State, compute: Compute, faults: Faults, nodes: Nodes, api: KubernetesApi) -> None:
        self._state = state
        self._compute = compute
        self._faults = faults
        self._nodes = nodes
        self._api = api
        self._events = scale_events.EventRecorder(api)
        self._scale_down = ScaleDown(nodes, api, self._events)
        self._backoff = Backoff()
        self._coming: list[_Coming] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"autoscaler {nodes.cluster}", daemon=True)

    def start(self) -> None:
        """Start watching."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the current round to end."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        pause = Timing().scan_seconds
        while not self._stopped.wait(pause):
            try:
                pause = self.scan()
            except KubernetesError as error:
                _LOG.debug("%s: the API server did not answer: %s", self._nodes.cluster_id, error)
            except Exception:
                # One bad object must not end scaling for the rest of the cluster's life.
                _LOG.exception("%s: a round of the autoscaler failed", self._nodes.cluster_id)

    def scan(self) -> float:
        """One round.

        Returns:
            Seconds to pause before the next.
        """
        data = self._state.read()
        timing = Timing.current(data)
        cluster = data["clusters"].get(self._nodes.cluster_id)
        if cluster is None:
            return timing.scan_seconds
        now = time.monotonic()
        self._preempt(data, now)
        self._make_missing(cluster)
        self._register(now, timing)
        cluster = self._state.read()["clusters"].get(self._nodes.cluster_id)
        groups = node_groups(
            self._compute,
            self._nodes.cluster_id,
            cluster or {"nodePools": {}},
            [one.group.key for one in self._coming],
        )
        if groups and cluster:
            pods = self._api.items("/api/v1/pods")
            nodes = self._api.items("/api/v1/nodes")
            pending = [pod for pod in pods if _is_unschedulable(pod)]
            homeless = self._place(pending, _rooms(nodes, pods))
            if homeless:
                self._scale_up(homeless, groups, now)
            self._scale_down.scan(groups, cluster, nodes, pods, bool(pending), now, timing)
        return timing.scan_seconds

    def _preempt(self, data: dict[str, Any], now: float) -> None:
        """Carry out preemptions; the instance group then asks for the instance again."""
        for name in data["faults"]["preemptions"]:
            found = self._nodes.preempt(name)
            if found is None:
                continue
            with self._state.change() as changed:
                preemptions = changed["faults"]["preemptions"]
                preemptions[:] = [one for one in preemptions if one != name]
                cluster = changed["clusters"][self._nodes.cluster_id]
            groups = node_groups(self._compute, self._nodes.cluster_id, cluster, [])
            self._coming += [_Coming(group, now) for group in groups if group.key == found]

    def _make_missing(self, cluster: dict[str, Any]) -> None:
        """Make nodes that a pool should have had from its creation, as soon as there is capacity."""
        for pool, record in cluster["nodePools"].items():
            inputs = record["inputs"]
            for zone in record.get("missing") or []:
                machine_type = pool_inputs.machine_type(self._compute, inputs)
                gpus = pool_inputs.accelerator(inputs)[1]
                if self._faults.shortage(zone, machine_type, inputs, gpus) is not None:
                    continue
                self._nodes.add(pool, zone)
                with self._state.change() as changed:
                    now_pool = changed["clusters"][self._nodes.cluster_id]["nodePools"].get(pool)
                    if now_pool and zone in now_pool.get("missing", []):
                        now_pool["missing"].remove(zone)
                        if not now_pool["missing"]:
                            now_pool |= {"status": "RUNNING", "message": ""}

    def _register(self, now: float, timing: Timing) -> None:
        """Let nodes arrive whose time has come, or fail."""
        still = []
        failures: dict[tuple[str, str, str], list[Object]] = {}
        for coming in self._coming:
            group = coming.group
            waited = now - coming.asked
            if waited < timing.provision_seconds:
                still.append(coming)
                continue
            shortage = self._faults.shortage(group.zone, group.machine_type, group.inputs, group.gpus)
            if shortage is None:
                self._nodes.add(group.pool, group.zone)
                self._backoff.succeed(group.key)
            elif group.is_queued and waited < timing.flex_wait_seconds:
                still.append(coming)
            else:
                self._backoff.fail(group.key, now, timing)
                failures.setdefault((*group.key, shortage.event_reason), []).extend(coming.pods)
        self._coming = still
        for (_, zone, reason), pods in failures.items():
            for pod in {pod["metadata"]["uid"]: pod for pod in pods}.values():
                self._events.on(pod, "Pod", "Warning", "FailedScaleUp", scale_events.failed([zone], reason))

    def _place(self, pods: list[Object], rooms: list[Room]) -> list[Object]:
        """Leave out pods that fit on a node that is there or on its way: the scheduler will place them."""
        rooms = rooms + [self._arriving(coming) for coming in self._coming]
        return [pod for pod in pods if not _take(pod, rooms)]

    def _arriving(self, coming: _Coming) -> Room:
        return coming.group.template()

    def _scale_up(self, pods: list[Object], groups: list[NodeGroup], now: float) -> None:
        reasons: dict[str, Counter[str]] = {}
        for pod in pods:
            options = []
            against: Counter[str] = Counter()
            for group in groups:
                if self._backoff.is_active(group.key, now):
                    against[IN_BACKOFF] += 1
                elif not group.room_to_grow:
                    against[AT_MAXIMUM] += 1
                elif found := reasons_against(pod, group.template()):
                    against.update(found)
                else:
                    options.append(group)
            if options:
                self._grow(min(options, key=self._preference), pods, now)
                return
            reasons[pod["metadata"]["uid"]] = against
        for pod in pods:
            text = scale_events.not_triggered(dict(reasons[pod["metadata"]["uid"]]))
            self._events.on(pod, "Pod", "Normal", "NotTriggerScaleUp", text)

    def _preference(self, group: NodeGroup) -> tuple[Any, ...]:
        """Smaller machines first; then a zone with capacity (ANY) or the emptiest one (BALANCED)."""
        machine = group.machine_type
        sold_out = self._faults.shortage(group.zone, machine, group.inputs, group.gpus) is not None
        place = (sold_out, 0) if group.prefers_any_zone else (False, group.nodes)
        return group.gpus, machine.chips, machine.vcpus, *place, group.key

    def _grow(self, group: NodeGroup, pods: list[Object], now: float) -> None:
        rooms: list[Room] = []
        taken: list[Object] = []
        for pod in pods:
            if _take(pod, rooms):
                taken.append(pod)
            elif len(rooms) < group.room_to_grow and not reasons_against(pod, group.template()):
                rooms.append(group.template())
                rooms[-1].take(pod)
                taken.append(pod)
        self._coming += [_Coming(group, now, list(room.pods)) for room in rooms]
        before = group.nodes
        text = scale_events.triggered([(group.url, before, before + len(rooms), group.max_nodes)])
        for pod in taken:
            self._events.on(pod, "Pod", "Normal", "TriggeredScaleUp", text)


def _is_unschedulable(pod: Object) -> bool:
    if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
        return False
    return any(
        condition["type"] == "PodScheduled"
        and condition["status"] == "False"
        and condition.get("reason") == "Unschedulable"
        for condition in pod.get("status", {}).get("conditions") or []
    )


def _rooms(nodes: list[Object], pods: list[Object]) -> list[Room]:
    by_node: dict[str, list[Object]] = {}
    for pod in pods:
        name = pod["spec"].get("nodeName")
        if name and pod.get("status", {}).get("phase") not in ("Succeeded", "Failed"):
            by_node.setdefault(name, []).append(pod)
    rooms = [room_on(node, by_node.get(node["metadata"]["name"], [])) for node in nodes]
    for room in rooms:
        # A node that has just come is not ready for a moment; the pods that it was made for wait for it.
        room.taints = [taint for taint in room.taints if taint["key"] not in _STARTUP_TAINTS]
    return rooms


def _take(pod: Object, rooms: list[Room]) -> bool:
    for room in rooms:
        if not reasons_against(pod, room):
            room.take(pod)
            return True
    return False
