"""What GKE gives nodes of TPU machine types: chips, labels and a taint."""

from __future__ import annotations

import re

from infra.policy.subject import Object

# GKE documentation, how-to/tpus.
TPU_TAINT = ("google.com/tpu", "present", "NoSchedule")
# Machine families, their value of cloud.google.com/gke-tpu-accelerator, and the topology of one machine by its chips:
# GoogleCloudPlatform/cluster-autoscaler 7d25050.
_FLAT, _CUBES = {1: "1x1", 4: "2x2", 8: "2x4"}, {1: "1x1x1", 4: "2x2x1"}
_FAMILIES = {
    "ct5lp-hightpu": ("tpu-v5-lite-podslice", _FLAT),
    "ct6e-standard": ("tpu-v6e-slice", _FLAT),
    "tpu7x-standard": ("tpu7x", _CUBES),
}
_TPU_MACHINES = ("ct", "tpu")
_MACHINE = re.compile(r"(?P<family>.+)-(?P<chips>\d+)t")


def is_tpu(node: Object) -> bool:
    """Whether a node pool's `nodeConfig` is of TPU machines."""
    return str(node.get("machineType") or "").startswith(_TPU_MACHINES)


def tpu_chips(node: Object) -> int:
    """Chips of one of its nodes; 0 where it has none, or none that are known."""
    found = _MACHINE.fullmatch(str(node.get("machineType") or "")) if is_tpu(node) else None
    return int(found["chips"]) if found else 0


def tpu_labels(pool: Object) -> dict[str, str]:
    """Labels that GKE gives the nodes of a pool of TPUs; a placement policy may say the topology of a larger slice."""
    node = pool.get("nodeConfig") or {}
    family = str(node.get("machineType") or "").rpartition("-")[0]
    if family not in _FAMILIES:
        return {}
    label, topologies = _FAMILIES[family]
    larger = (pool.get("placementPolicy") or {}).get("tpuTopology")
    return {
        "cloud.google.com/gke-tpu-accelerator": label,
        "cloud.google.com/gke-tpu-topology": str(larger or topologies.get(tpu_chips(node), "")),
    }
