"""Which node Autopilot makes for a pod: read from the pod's selectors and requests.

Sources: GKE docs, how-to/autopilot-gpus (gke-accelerator with nvidia.com/gpu) and autopilot-compute-classes; GKE's
autoscaler for gke-accelerator-count, which keeps one GPU pod on a node.
"""

from __future__ import annotations

from simulator.google.compute_class import CLASS_LABEL, Object, Rule, class_of
from simulator.google.fitting import requests_of

BUILT_IN = ("Accelerator", "Balanced", "Performance", "Scale-Out", "autopilot", "autopilot-spot")
_PREFIX = "cloud.google.com/"
_FAMILIES = {"Balanced": "n2", "Scale-Out": "t2d"}


def is_autopilot(cluster: Object) -> bool:
    """Whether a cluster's inputs ask for Autopilot."""
    return bool(cluster.get("enableAutopilot"))


def rule_for(pod: Object) -> Rule | None:
    """The node that a pod asks for; None if it asks for GPUs without naming a model."""
    selector = pod["spec"].get("nodeSelector") or {}
    chosen = class_of(pod)
    requests = requests_of(pod)
    gpus = -(-requests.get("nvidia.com/gpu", 0) // 1000)
    labels = {CLASS_LABEL: chosen} if chosen in BUILT_IN else {}
    spec: Object = {"spot": selector.get(f"{_PREFIX}gke-spot") == "true" or chosen == "autopilot-spot"}
    if selector.get(f"{_PREFIX}gke-flex-start") == "true":
        spec["flexStart"] = {"enabled": True}
    if gpus:
        model = selector.get(f"{_PREFIX}gke-accelerator")
        if not model:
            return None
        spec["gpu"] = {"type": model, "count": gpus}
        labels[f"{_PREFIX}gke-accelerator-count"] = str(gpus)
    elif requests.get("google.com/tpu"):
        spec["tpu"] = {
            "type": selector.get(f"{_PREFIX}gke-tpu-accelerator"),
            "topology": selector.get(f"{_PREFIX}gke-tpu-topology"),
            "count": requests["google.com/tpu"] // 1000,
        }
    else:
        spec["machineFamily"] = selector.get(f"{_PREFIX}machine-family") or _FAMILIES.get(chosen, "e2")
    if selector.get(f"{_PREFIX}reservation-name"):
        spec["reservations"] = {"affinity": "Specific", "specific": [{"name": selector[f"{_PREFIX}reservation-name"]}]}
    return Rule("autopilot", spec | {"nodeLabels": labels})
