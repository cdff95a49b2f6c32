"""A node pool's output properties, named and filled as the official provider does after reading the GKE API.

Source: magic-modules, resource_container_node_pool.go.tmpl (flattenNodePool) and node_config.go.tmpl; values
that GKE chooses by itself are its documented defaults.
"""

from __future__ import annotations

from typing import Any

from simulator.google import pool_inputs
from simulator.google.instance_group import group_url, manager_url
from simulator.google.machine_types import Compute, is_region
from simulator.google.node import KUBELET_VERSION, node_taints
from simulator.google.pool_inputs import Inputs
from simulator.google.wire import Properties

NODE_VERSION = KUBELET_VERSION.removeprefix("v")
COMPUTED_OUTPUTS = (
    "instanceGroupUrls",
    "location",
    "managedInstanceGroupUrls",
    "management",
    "maxPodsPerNode",
    "namePrefix",
    "networkConfig",
    "nodeCount",
    "nodeLocations",
    "operation",
    "project",
    "upgradeSettings",
    "version",
)
"""Outputs that a preview cannot know unless the user gives them."""
_SCOPES = [
    "https://www.googleapis.com/auth/devstorage.read_only",
    "https://www.googleapis.com/auth/logging.write",
    "https://www.googleapis.com/auth/monitoring",
    "https://www.googleapis.com/auth/service.management.readonly",
    "https://www.googleapis.com/auth/servicecontrol",
    "https://www.googleapis.com/auth/trace.append",
]
_API_EFFECTS = {
    "NoSchedule": "NO_SCHEDULE",
    "PreferNoSchedule": "PREFER_NO_SCHEDULE",
    "NoExecute": "NO_EXECUTE",
}


def _accelerators(config: Inputs) -> list[dict[str, Any]]:
    accelerators = []
    for given in config.get("guestAccelerators") or []:
        driver = given.get("gpuDriverInstallationConfig") or {"gpuDriverVersion": "DEFAULT"}
        accelerators.append({"gpuPartitionSize": "", **given, "gpuDriverInstallationConfig": driver})
    return accelerators


def _node_config(compute: Compute, pool: Inputs) -> dict[str, Any]:
    config = pool_inputs.node_config(pool)
    disk_type, disk_size = pool_inputs.disk(compute, pool)
    defaults = {
        "bootDisk": {"diskType": disk_type, "sizeGb": disk_size},
        "diskSizeGb": disk_size,
        "diskType": disk_type,
        "flexStart": False,
        "imageType": "COS_CONTAINERD",
        "labels": {},
        "localSsdCount": 0,
        "loggingVariant": "DEFAULT",
        "machineType": pool_inputs.machine_type_name(pool),
        "metadata": {"disable-legacy-endpoints": "true"},
        "oauthScopes": _SCOPES,
        "preemptible": False,
        "resourceLabels": {},
        "serviceAccount": "default",
        "shieldedInstanceConfig": {"enableIntegrityMonitoring": True, "enableSecureBoot": False},
        "spot": False,
        "tags": [],
        "taints": [],
    }
    own = {
        "effectiveTaints": [{**taint, "effect": _API_EFFECTS[taint["effect"]]} for taint in node_taints(compute, pool)],
        "guestAccelerators": _accelerators(config),
    }
    return {**defaults, **config, **own}


def _autoscaling(pool: Inputs) -> dict[str, Any] | None:
    given = pool.get("autoscaling")
    if not given:
        return None
    counts = dict.fromkeys(("minNodeCount", "maxNodeCount", "totalMinNodeCount", "totalMaxNodeCount"), 0)
    config = pool_inputs.node_config(pool)
    policy = "ANY" if config.get("spot") or config.get("flexStart") else "BALANCED"
    return {**counts, "locationPolicy": policy, **given}


def pool_outputs(
    compute: Compute,
    project: str,
    location: str,
    cluster: str,
    zones: list[str],
    name: str,
    record: dict[str, Any],
) -> Properties:
    """All outputs of a node pool.

    nodeCount is the number of nodes divided by the number of zones, as the provider computes it.

    Args:
        compute: The machine types.
        project: The cluster's project.
        location: The cluster's location.
        cluster: The cluster's name.
        zones: The pool's zones.
        name: The pool's name.
        record: Its inputs, status and nodes.
    """
    pool = record["inputs"]
    flex = pool_inputs.node_config(pool).get("flexStart")
    upgrade = {"strategy": "SHORT_LIVED"} if flex else {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0}
    upgrade |= pool.get("upgradeSettings") or {}
    outputs = {
        "deletionPolicy": "DELETE",
        "initialNodeCount": pool_inputs.first_nodes_per_zone(pool),
        "maxPodsPerNode": pool_inputs.max_pods(pool),
        "management": {"autoRepair": True, "autoUpgrade": True},
        "namePrefix": "",
        "networkConfig": {"enablePrivateNodes": False},
        "operation": "",
        "queuedProvisioning": {"enabled": False},
        "version": NODE_VERSION,
        **{key: value for key, value in pool.items() if value is not None and key != "__defaults"},
        "id": f"projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
        "instanceGroupUrls": [manager_url(project, cluster, name, zone) for zone in zones],
        "location": location,
        "managedInstanceGroupUrls": [group_url(project, cluster, name, zone) for zone in zones],
        "name": name,
        "nodeConfig": _node_config(compute, pool),
        "nodeCount": len(record["nodes"]) // len(zones),
        "nodeLocations": sorted(zones),
        "project": project,
        "upgradeSettings": upgrade,
    }
    outputs.setdefault("cluster", cluster)
    autoscaling = _autoscaling(pool)
    return outputs | ({"autoscaling": autoscaling} if autoscaling else {})


def default_zones(compute: Compute, location: str) -> list[str]:
    """What a cluster reports as nodeLocations when none is given: a zonal cluster's own zone is left out."""
    return compute.zones_of(location)[:3] if is_region(location) else []
