"""A platform's GKE cluster, and the small pool for its own pods."""

from __future__ import annotations

from typing import Any

from infra.cloud.node_pool import NODE_POOL, SCOPES, SHIELDED
from infra.cloud.resource import CloudResource
from infra.spec import Gke, PlatformSpec

CLUSTER = "gcp:container/cluster:Cluster"


def platform_resources(name: str, platform: PlatformSpec) -> tuple[CloudResource, ...]:
    """What the stack of a platform makes, in the order in which it is made; nothing where all is adopted."""
    gke = platform.gke
    if gke is None or not gke.cluster.create:
        return ()
    labels = dict(platform.labels)
    return (
        CloudResource(CLUSTER, name, cluster_inputs(name, gke, labels), ignore=("initialNodeCount", "nodeConfig")),
        CloudResource(
            NODE_POOL,
            f"{name}-system",
            system_pool_inputs(name, gke, labels),
            after=(name,),
            ignore=("initialNodeCount",),
        ),
    )


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
            "oauthScopes": SCOPES,
            "workloadMetadataConfig": {"mode": "GKE_METADATA"},
            "shieldedInstanceConfig": SHIELDED,
            "resourceLabels": _platform_labels(platform, labels),
        },
    }


def _platform_labels(platform: str, labels: dict[str, str]) -> dict[str, str]:
    return {**labels, "managed-by": "servestack", "servestack-platform": platform}
