"""Pods that wait for a place, and the room that nodes still have for them."""

from __future__ import annotations

from simulator.google.fitting import Object, Room, reasons_against, room_on

_STARTUP_TAINTS = ("node.kubernetes.io/not-ready", "node.cloudprovider.kubernetes.io/uninitialized")


def is_unschedulable(pod: Object) -> bool:
    """Whether the scheduler has found no node for a pod."""
    if pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
        return False
    return any(
        condition["type"] == "PodScheduled"
        and condition["status"] == "False"
        and condition.get("reason") == "Unschedulable"
        for condition in pod.get("status", {}).get("conditions") or []
    )


def rooms_on(nodes: list[Object], pods: list[Object]) -> list[Room]:
    """The room on every node next to the pods that run there."""
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


def take(pod: Object, rooms: list[Room]) -> bool:
    """Count a pod against the first room that it fits; say whether there is one."""
    for room in rooms:
        if not reasons_against(pod, room):
            room.take(pod)
            return True
    return False
