"""ComputeClass rules and the pool of a class, as several tests use them."""

from __future__ import annotations

from typing import Any

ZONE = "us-central1-a"
H100 = {"machineType": "a3-highgpu-1g", "spot": True, "location": {"zones": [ZONE]}}
RTX = {"machineType": "g4-standard-48"}
L4 = {"machineType": "g2-standard-8"}
MAKES = {"nodePoolAutoCreation": {"enabled": True}, "whenUnsatisfiable": "DoNotScaleUp"}


def pool(name: str = "c", *, label: bool = True, taint: bool = True, **config: Any) -> dict[str, Any]:
    key = "cloud.google.com/compute-class"
    return {
        "nodeLocations": [ZONE],
        "autoscaling": {"totalMaxNodeCount": 2, "locationPolicy": "ANY"},
        "nodeConfig": {
            "machineType": "g2-standard-8",
            "guestAccelerators": [{"type": "nvidia-l4", "count": 1}],
            "labels": {key: name} if label else {},
            "taints": [{"key": key, "value": name, "effect": "NO_SCHEDULE"}] if taint else [],
            **config,
        },
    }
