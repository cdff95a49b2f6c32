"""The autoscaler of one simulated cluster: adds nodes for pods that cannot be placed, removes idle ones."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from simulator.google import admission, scale_events
from simulator.google.auto_pools import AutoPools
from simulator.google.autopilot import is_autopilot
from simulator.google.backoff import Backoff
from simulator.google.class_scaling import ClassScaling
from simulator.google.compute_class import PRIORITY_INDEX
from simulator.google.faults import Faults
from simulator.google.fitting import Object, Room, reasons_against
from simulator.google.kubernetes_api import KubernetesApi, KubernetesError
from simulator.google.losses import Losses
from simulator.google.machine_types import Compute
from simulator.google.node_group import NodeGroup, node_groups
from simulator.google.nodes import Nodes
from simulator.google.pending import is_unschedulable, rooms_on, take
from simulator.google.scale_down import ScaleDown
from simulator.google.state import State
from simulator.google.timing import Timing

_LOG = logging.getLogger(__name__)
IN_BACKOFF = "in backoff after failed scale-up"
AT_MAXIMUM = "max node group size reached"


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
        self._losses = Losses(state, compute, faults, nodes)
        self._classes = ClassScaling(state, compute, nodes, api)
        self._pools = AutoPools(state, nodes.cluster_id)
        self._backoff = Backoff()
        self._coming: list[_Coming] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"autoscaler {nodes.cluster}", daemon=True)

    def start(self) -> None:
        """Put GKE's admission rules in force, then start watching."""
        cluster = self._state.read()["clusters"].get(self._nodes.cluster_id) or {"inputs": {}}
        admission.install(self._api, is_autopilot(cluster["inputs"]))
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

    def scan(self, now: float | None = None) -> float:
        """One round.

        Args:
            now: Seconds of a clock that only goes forward; this computer's when not given.

        Returns:
            Seconds to pause before the next.
        """
        data = self._state.read()
        timing = Timing.current(data)
        cluster = data["clusters"].get(self._nodes.cluster_id)
        if cluster is None:
            return timing.scan_seconds
        now = time.monotonic() if now is None else now
        for found in self._losses.carry_out(data, now):
            self._coming += [_Coming(group, now) for group in self._groups() if group.key == found]
        self._losses.make_missing(cluster)
        self._register(now, timing)
        found_cluster = self._state.read()["clusters"].get(self._nodes.cluster_id)
        if found_cluster is None:
            return timing.scan_seconds
        self._classes.refresh(found_cluster)
        self._place_pods(found_cluster, now, timing)
        self._pools.remove_empty(found_cluster, {pool for pool, _ in self._on_their_way()}, now, timing)
        self._classes.report(now)
        return timing.scan_seconds

    def _place_pods(self, cluster: dict[str, Any], now: float, timing: Timing) -> None:
        """Grow for pods that wait, shrink where nodes are idle; nothing in a cluster without autoscaling."""
        groups = node_groups(self._compute, self._nodes.cluster_id, cluster, self._on_their_way())
        if not groups and not self._classes.makes_pools:
            return
        pods = self._api.items("/api/v1/pods")
        nodes = self._api.items("/api/v1/nodes")
        pending = [pod for pod in pods if is_unschedulable(pod)]
        homeless = self._place(pending, rooms_on(nodes, pods))
        if homeless:
            self._scale_up(homeless, groups, now)
        delays = {group.pool: self._classes.idle_seconds(group, timing) for group in groups}
        self._scale_down.scan(groups, cluster, nodes, pods, bool(pending), now, delays)

    def _on_their_way(self) -> list[tuple[str, str]]:
        return [one.group.key for one in self._coming]

    def _groups(self) -> list[NodeGroup]:
        cluster = self._state.read()["clusters"].get(self._nodes.cluster_id)
        return node_groups(self._compute, self._nodes.cluster_id, cluster, []) if cluster else []

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
                self._nodes.add(group.pool, group.zone, _annotations(group))
                self._backoff.succeed(group.key)
            elif group.is_queued and waited < (group.wait_seconds or timing.flex_wait_seconds):
                still.append(coming)
            else:
                self._backoff.fail(group.key, now, timing)
                self._classes.failed(group, shortage, now, timing)
                failures.setdefault((*group.key, shortage.event_reason), []).extend(coming.pods)
        self._coming = still
        for (_, zone, reason), pods in failures.items():
            for pod in {pod["metadata"]["uid"]: pod for pod in pods}.values():
                self._events.on(pod, "Pod", "Warning", "FailedScaleUp", scale_events.failed([zone], reason))

    def _place(self, pods: list[Object], rooms: list[Room]) -> list[Object]:
        """Leave out pods that fit on a node that is there or on its way: the scheduler will place them."""
        rooms = rooms + [coming.group.template() for coming in self._coming]
        return [pod for pod in pods if not take(pod, rooms)]

    def _scale_up(self, pods: list[Object], groups: list[NodeGroup], now: float) -> None:
        """Grow the best group for the first pod that any would take; else tell every pod why none does."""
        for pod in pods:
            options = self._options(pod, groups, now)
            if options:
                self._grow(min(options, key=self._preference), pods, now)
                return
        for pod in pods:
            text = scale_events.not_triggered(dict(self._reasons(pod, groups, now)))
            self._events.on(pod, "Pod", "Normal", "NotTriggerScaleUp", text)

    def _options(self, pod: Object, groups: list[NodeGroup], now: float) -> list[NodeGroup]:
        """Groups that may grow for a pod now."""
        name = self._classes.name_for(pod)
        ready = [group for group in groups if not self._backoff.is_active(group.key, now)]
        if name and not (found := self._classes.options(pod, name, ready, now)):
            return self._classes.autopilot_options(pod, name, now)
        if name:
            return found
        found = [group for group in ready if group.room_to_grow and not reasons_against(pod, group.template())]
        return found or self._classes.autopilot_options(pod, name, now)

    def _reasons(self, pod: Object, groups: list[NodeGroup], now: float) -> Counter[str]:
        """How many groups are ruled out for each reason."""
        against: Counter[str] = Counter()
        name = self._classes.name_for(pod)
        for group in groups:
            if self._backoff.is_active(group.key, now) or self._classes.is_suspended(group, name, now):
                against[IN_BACKOFF] += 1
            elif not group.room_to_grow:
                against[AT_MAXIMUM] += 1
            else:
                against.update(reasons_against(pod, group.template()))
        return against

    def _preference(self, group: NodeGroup) -> tuple[Any, ...]:
        """Smaller machines first; then a zone with capacity (ANY) or the emptiest one (BALANCED)."""
        machine = group.machine_type
        sold_out = self._faults.shortage(group.zone, machine, group.inputs, group.gpus) is not None
        place = (sold_out, group.is_new, 0) if group.prefers_any_zone else (False, group.is_new, group.nodes)
        return group.gpus, machine.chips, machine.vcpus, *place, group.key

    def _grow(self, group: NodeGroup, pods: list[Object], now: float) -> None:
        rooms: list[Room] = []
        taken: list[Object] = []
        for pod in pods:
            if take(pod, rooms):
                taken.append(pod)
            elif len(rooms) < group.room_to_grow and not reasons_against(pod, group.template()):
                rooms.append(group.template())
                rooms[-1].take(pod)
                taken.append(pod)
        if group.is_new:
            group = dataclasses.replace(group, pool=self._pools.create(group.inputs), is_new=False)
        self._coming += [_Coming(group, now, list(room.pods)) for room in rooms]
        before = group.nodes
        text = scale_events.triggered([(group.url, before, before + len(rooms), group.max_nodes)])
        for pod in taken:
            self._events.on(pod, "Pod", "Normal", "TriggeredScaleUp", text)


def _annotations(group: NodeGroup) -> dict[str, str]:
    index = group.rule[1] if group.rule else ""
    return {PRIORITY_INDEX: index} if index.isdigit() else {}
