"""An endpoint's own pool of accelerator nodes."""

from __future__ import annotations

from typing import Any

from infra.cloud.resource import CloudResource
from infra.cloud.tpu import tpu_node
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke

NODE_POOL = "gcp:container/nodePool:NodePool"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
SHIELDED = {"enableSecureBoot": True, "enableIntegrityMonitoring": True}


def node_pools(plan: ServingPlan, gke: Gke) -> tuple[CloudResource, ...]:
    """The pools of an endpoint: exactly the machines of its plan, empty until a pod asks.

    A pool has the stack's name, so it is replaced delete-first: quota for two such pools is rarely there.
    """
    return (
        CloudResource(
            NODE_POOL,
            plan.stack,
            accelerator_pool_inputs(plan, gke),
            ignore=("initialNodeCount",),
            timeout_seconds=1800,
            delete_first=True,
        ),
    )


def accelerator_pool_inputs(plan: ServingPlan, gke: Gke) -> dict[str, Any]:
    """The endpoint's pool: no node until a pod asks, replicas and spare ones at most, upgrades without a spare."""
    accelerator, host = plan.accelerator, plan.host
    flex = accelerator.capacity == "flex-start"
    node: dict[str, Any] = {
        "machineType": accelerator.machine_type,
        "diskType": host.boot_disk_type,
        "diskSizeGb": host.boot_disk_gb,
        "spot": accelerator.capacity == "spot",
        "flexStart": flex,
        "gvnic": {"enabled": True},
        "oauthScopes": SCOPES,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "shieldedInstanceConfig": SHIELDED,
        "labels": {"servestack.dev/endpoint": plan.stack},
        "taints": [{"key": "servestack.dev/endpoint", "value": plan.stack, "effect": "NO_SCHEDULE"}],
        "resourceLabels": {**dict(plan.labels), "managed-by": "servestack", "servestack-endpoint": plan.stack},
    }
    if accelerator.kind == "tpu":
        node = tpu_node(node)
    elif accelerator.gke_label:
        node["guestAccelerators"] = [
            {
                "type": accelerator.gke_label,
                "count": accelerator.per_node,
                "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
            }
        ]
    if host.local_ssds:
        node["ephemeralStorageLocalSsdConfig"] = {"localSsdCount": host.local_ssds}
    if flex:
        node["reservationAffinity"] = {"consumeReservationType": "NO_RESERVATION"}
    pool: dict[str, Any] = {
        "name": plan.stack,
        "project": gke.project,
        "location": gke.location,
        "cluster": gke.cluster.name,
        "initialNodeCount": 0,
        "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": plan.machines, "locationPolicy": "ANY"},
        "management": {"autoRepair": not flex, "autoUpgrade": True},
        "nodeConfig": node,
    }
    if accelerator.zones:  # else those of the cluster: every zone has processors
        pool["nodeLocations"] = list(accelerator.zones)
    return pool if flex else {**pool, "upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}}
