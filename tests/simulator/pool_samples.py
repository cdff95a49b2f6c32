"""Node pools that are correct, edits to them, and what the simulated Google says of the result."""

from __future__ import annotations

import copy
from typing import Any

from simulator.google.errors import GoogleError
from simulator.google.machine_types import load
from simulator.google.pool_rules import check_pool

CLUSTER: dict[str, Any] = {"releaseChannel": {"channel": "REGULAR"}}
H100: dict[str, Any] = {
    "initialNodeCount": 0,
    "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 2, "locationPolicy": "ANY"},
    "nodeLocations": ["us-central1-a"],
    "management": {"autoRepair": True, "autoUpgrade": True},
    "nodeConfig": {
        "machineType": "a3-highgpu-1g",
        "guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1}],
        "diskType": "pd-balanced",
        "spot": True,
    },
}
FLEX = {
    "nodeConfig.spot": None,
    "nodeConfig.flexStart": True,
    "nodeConfig.reservationAffinity": {"consumeReservationType": "NO_RESERVATION"},
    "management.autoRepair": False,
}
RESERVED = {
    "consumeReservationType": "SPECIFIC_RESERVATION",
    "key": "compute.googleapis.com/reservation-name",
    "values": ["r"],
}
QUEUED = {
    "nodeConfig.spot": None,
    "queuedProvisioning": {"enabled": True},
    "nodeConfig.reservationAffinity": {"consumeReservationType": "NO_RESERVATION"},
}
TPU: dict[str, Any] = {
    "initialNodeCount": 0,
    "autoscaling": {"totalMaxNodeCount": 1, "locationPolicy": "ANY"},
    "nodeLocations": ["us-central1-b"],
    "placementPolicy": {"type": "COMPACT", "tpuTopology": "2x2"},
    "nodeConfig": {"machineType": "ct6e-standard-4t"},
}


def changed(pool: dict[str, Any], edits: dict[str, Any]) -> dict[str, Any]:
    pool = copy.deepcopy(pool)
    for path, value in edits.items():
        *parents, last = path.split(".")
        target = pool
        for parent in parents:
            target = target.setdefault(parent, {})
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return pool


def refusal(pool: dict[str, Any], location: str = "us-central1", name: str = "pool") -> str:
    try:
        check_pool(load(), location, CLUSTER, name, pool)
    except GoogleError as error:
        return str(error)
    return ""
