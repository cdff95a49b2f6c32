"""Removal of nodes that nobody needs.

Source: kubernetes/autoscaler FAQ and GKE docs: a node goes after 10 minutes without need. Here only an empty
node counts as unneeded; moving pods together to free a node is not simulated.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from simulator.google.kubernetes_api import KubernetesApi, KubernetesError, Object
from simulator.google.node_group import NodeGroup
from simulator.google.nodes import Nodes
from simulator.google.scale_events import EventRecorder

_TAINT = "ToBeDeletedByClusterAutoscaler"


class ScaleDown:
    """Remembers since when each node has been empty."""

    def __init__(self, nodes: Nodes, api: KubernetesApi, events: EventRecorder) -> None:
        self._nodes = nodes
        self._api = api
        self._events = events
        self._empty_since: dict[str, float] = {}

    def scan(
        self,
        groups: list[NodeGroup],
        cluster: dict[str, Any],
        nodes: list[Object],
        pods: list[Object],
        is_waiting: bool,
        now: float,
        delays: Mapping[str, float],
    ) -> None:
        """One round.

        Args:
            groups: The autoscaled groups.
            cluster: The cluster's record.
            nodes: Its nodes.
            pods: Its pods.
            is_waiting: Whether pods wait for a place: then no node counts as unneeded.
            now: The clock.
            delays: How long a node of each pool must be unneeded, in seconds.
        """
        least = {group.pool: group.least for group in groups}
        busy = {pod["spec"].get("nodeName") for pod in pods if _holds_node(pod)}
        by_name = {node["metadata"]["name"]: node for node in nodes}
        for pool in least:
            record = cluster["nodePools"][pool]
            left = len(record["nodes"])
            for name in list(record["nodes"]):
                if is_waiting or name in busy or name not in by_name:
                    self._empty_since.pop(name, None)
                    continue
                since = self._empty_since.setdefault(name, now)
                if now - since >= delays[pool] and left > least[pool]:
                    self._remove(pool, by_name[name])
                    left -= 1

    def _remove(self, pool: str, node: Object) -> None:
        name = node["metadata"]["name"]
        taints = [*(node["spec"].get("taints") or [])]
        taints.append({"key": _TAINT, "value": str(int(time.time())), "effect": "NoSchedule"})
        try:
            self._api.request(
                "PATCH", f"/api/v1/nodes/{name}", {"spec": {"taints": taints}}, "application/merge-patch+json"
            )
        except KubernetesError as error:
            if error.code != 404:
                raise
        self._events.on(node, "Node", "Normal", "ScaleDown", "node removed by cluster autoscaler")
        self._nodes.remove(pool, name)
        self._empty_since.pop(name, None)


def _holds_node(pod: Object) -> bool:
    """Whether a pod keeps its node: finished pods, daemons and mirror pods do not."""
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return False
    owners = [owner["kind"] for owner in pod["metadata"].get("ownerReferences") or []]
    return "DaemonSet" not in owners and "kubernetes.io/config.mirror" not in pod["metadata"].get("annotations", {})
