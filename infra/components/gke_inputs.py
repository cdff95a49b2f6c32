"""Inputs of GKE resources, as the Google provider names them. Pure data: what differs is the plan's."""

from __future__ import annotations

from typing import Any

from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_SHIELDED = {"enableSecureBoot": True, "enableIntegrityMonitoring": True}


def cluster_inputs(platform: str, gke: Gke, labels: dict[str, str]) -> dict[str, Any]:
    """A Standard cluster whose default pool is removed at once."""
    return {
        "name": gke.cluster.name,
        "project": gke.project,
        "location": gke.location,
        "removeDefaultNodePool": True,
        "initialNodeCount": 1,
        "deletionProtection": gke.deletionProtection,
        "releaseChannel": {"channel": gke.releaseChannel},
        "workloadIdentityConfig": {"workloadPool": f"{gke.project}.svc.id.goog"},
        "datapathProvider": "ADVANCED_DATAPATH",
        "networkingMode": "VPC_NATIVE",
        "ipAllocationPolicy": {},
        "enableShieldedNodes": True,
        "gatewayApiConfig": {"channel": "CHANNEL_STANDARD"},
        "addonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": True}},
        "monitoringConfig": {"enableComponents": ["SYSTEM_COMPONENTS"], "managedPrometheus": {"enabled": True}},
        "resourceLabels": _platform_labels(platform, labels),
    }


def system_pool_inputs(platform: str, gke: Gke, labels: dict[str, str]) -> dict[str, Any]:
    """The small pool for the cluster's own pods."""
    return {
        "name": "system",
        "project": gke.project,
        "location": gke.location,
        "cluster": gke.cluster.name,
        "initialNodeCount": 1,
        "autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": 3, "locationPolicy": "BALANCED"},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "nodeConfig": {
            "machineType": "e2-standard-4",
            "diskType": "pd-balanced",
            "diskSizeGb": 50,
            "oauthScopes": _SCOPES,
            "workloadMetadataConfig": {"mode": "GKE_METADATA"},
            "shieldedInstanceConfig": _SHIELDED,
            "resourceLabels": _platform_labels(platform, labels),
        },
    }


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
        "oauthScopes": _SCOPES,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "shieldedInstanceConfig": _SHIELDED,
        "labels": {"servestack.dev/endpoint": plan.stack},
        "taints": [{"key": "servestack.dev/endpoint", "value": plan.stack, "effect": "NO_SCHEDULE"}],
        "resourceLabels": {**dict(plan.labels), "managed-by": "servestack", "servestack-endpoint": plan.stack},
    }
    if accelerator.gke_label:
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


def _platform_labels(platform: str, labels: dict[str, str]) -> dict[str, str]:
    return {**labels, "managed-by": "servestack", "servestack-platform": platform}
