"""An endpoint's own pools of machines, one per rung of its capacity ladder."""

from __future__ import annotations

from typing import Any

from infra.cloud.accounts import node_service_account
from infra.cloud.resource import CloudResource
from infra.cloud.tpu import tpu_node
from infra.plan.node_pools import CLASS_KEY, ENDPOINT_KEY, POOL_KEY, NodePool
from infra.plan.placed import Placed
from infra.spec import Gke

NODE_POOL = "gcp:container/nodePool:NodePool"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
SHIELDED = {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
_RESERVATION_KEY = "compute.googleapis.com/reservation-name"


def node_pools(plan: Placed, gke: Gke) -> tuple[CloudResource, ...]:
    """The pools of an endpoint, each empty until a pod asks; none where GKE makes them.

    A pool whose nodes would change has another name (`infra.cloud.pool_names`), so Pulumi makes it before it deletes
    the old one. Both are empty without pods: quota for two is needed only where a roll-out has spare machines.
    """
    if plan.node_pools.kind != "pools":
        return ()
    return tuple(
        CloudResource(
            NODE_POOL,
            plan.stack if index == 0 else f"{plan.stack}-{index + 1}",
            accelerator_pool_inputs(plan, gke, index),
            ignore=("initialNodeCount",),
            timeout_seconds=1800,
        )
        for index in range(len(plan.node_pools.pools))
    )


def accelerator_pool_inputs(plan: Placed, gke: Gke, index: int = 0) -> dict[str, Any]:
    """One pool: no node until a pod asks, replicas and spare ones at most, upgrades without a spare.

    Args:
        plan: of the endpoint.
        gke: its platform.
        index: which rung of its ladder.
    """
    one, zones = plan.node_pools.pools[index], plan.accelerator.zones
    flex = one.capacity == "flex-start"
    pool: dict[str, Any] = {
        "name": one.name,
        "project": gke.project,
        "location": gke.location,
        "cluster": gke.cluster.name,
        "initialNodeCount": 0,
        "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": plan.machines, "locationPolicy": "ANY"},
        "management": {"autoRepair": not flex, "autoUpgrade": True},
        # A pool that is deleted waits for what a disruption budget asks, as a drain by hand does.
        "nodeDrainConfigs": [{"respectPdbDuringNodePoolDeletion": True}],
        "nodeConfig": _node_config(plan, one, gke),
    }
    if zones:  # else those of the cluster: every zone has processors
        pool["nodeLocations"] = list(zones)
    return pool if flex else {**pool, "upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}}


def _node_config(plan: Placed, one: NodePool, gke: Gke) -> dict[str, Any]:
    """What every machine of a pool is; a class, where there is one, is label and taint (GKE asks for both)."""
    found, taints = plan.node_pools, {ENDPOINT_KEY: plan.stack}
    labels = {ENDPOINT_KEY: plan.stack, POOL_KEY: one.name}
    if found.compute_class:
        labels[CLASS_KEY] = taints[CLASS_KEY] = found.compute_class
    node: dict[str, Any] = {
        "machineType": one.machine_type,
        "diskType": one.boot_disk_type,
        "diskSizeGb": one.boot_disk_gb,
        "spot": one.capacity == "spot",
        "flexStart": one.capacity == "flex-start",
        "gvnic": {"enabled": True},
        "gcfsConfig": {"enabled": found.image_streaming},
        "oauthScopes": SCOPES,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "shieldedInstanceConfig": SHIELDED,
        "labels": labels,
        "taints": [{"key": key, "value": value, "effect": "NO_SCHEDULE"} for key, value in taints.items()],
        "resourceLabels": {**dict(plan.labels), "managed-by": "servestack", "servestack-endpoint": plan.stack},
    }
    account = node_service_account(gke)
    if account is not None:
        node["serviceAccount"] = account
    if plan.accelerator.kind == "tpu":
        node = tpu_node(node)
    elif one.gke_label:
        node["guestAccelerators"] = [
            {
                "type": one.gke_label,
                "count": one.accelerators,
                "gpuDriverInstallationConfig": {"gpuDriverVersion": found.driver_version.upper()},
            }
        ]
    if one.local_ssds:
        node["ephemeralStorageLocalSsdConfig"] = {"localSsdCount": one.local_ssds}
    if found.max_run_seconds is not None:
        node["maxRunDuration"] = f"{found.max_run_seconds}s"
    if one.capacity == "flex-start":
        node["reservationAffinity"] = {"consumeReservationType": "NO_RESERVATION"}
    if one.capacity == "reservation":
        node["reservationAffinity"] = {
            "consumeReservationType": "SPECIFIC_RESERVATION",
            "key": _RESERVATION_KEY,
            "values": [one.reservation],
        }
    return node
