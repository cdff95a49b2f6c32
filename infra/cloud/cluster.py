"""A platform's GKE cluster, and the small pool for its own pods."""

from __future__ import annotations

from typing import Any

from infra.cloud.accounts import account_ready, node_service_account
from infra.cloud.apis import api_name
from infra.cloud.labels import marked
from infra.cloud.network import network_path, network_ready, secondary_ranges, subnetwork_path
from infra.cloud.node_pool import NODE_POOL, SCOPES, SHIELDED
from infra.cloud.resource import CloudResource
from infra.plan.lacking import SYSTEM_NODES
from infra.spec import Gke

CLUSTER = "gcp:container/cluster:Cluster"
# Source: GoogleCloudPlatform/accelerated-platforms container_cluster.tf (9320f3b), google/skills golden path (1af7775).
_METRICS = ["SYSTEM_COMPONENTS", "DCGM", "HPA", "JOBSET"]
_ROTATION = {"enabled": True, "rotationInterval": "120s"}
SYSTEM_POOL = {"machineType": "e2-standard-4", "diskType": "pd-balanced", "diskSizeGb": 50}


def cluster_resources(platform: str, gke: Gke, labels: dict[str, str]) -> tuple[CloudResource, ...]:
    """The cluster, and on Standard the pool without which its own pods have no node."""
    after = (
        api_name(platform, "container"),
        *network_ready(platform, gke),
        *account_ready(platform, gke),
    )
    cluster = CloudResource(
        CLUSTER,
        platform,
        cluster_inputs(platform, gke, labels),
        after=after,
        protect=gke.deletionProtection,
        ignore=("initialNodeCount", "nodeConfig") if gke.cluster.mode == "standard" else (),
    )
    if gke.cluster.mode == "autopilot":
        return (cluster,)
    pool = system_pool_inputs(platform, gke, labels)
    return (
        cluster,
        CloudResource(NODE_POOL, f"{platform}-system", pool, after=(platform,), ignore=("initialNodeCount",)),
    )


def cluster_inputs(platform: str, gke: Gke, labels: dict[str, str]) -> dict[str, Any]:
    """A cluster as Google advises it; a Standard one's default pool is removed at once.

    Cluster DNS stays kube-dns, which the endpoints' network policies name.
    """
    pods, services = secondary_ranges(gke)
    private: dict[str, Any] = {"enablePrivateNodes": True}
    if gke.controlPlane:
        private["masterIpv4CidrBlock"] = gke.controlPlane
    return {
        "name": gke.cluster.name,
        "project": gke.project,
        "location": gke.location,
        "deletionProtection": gke.deletionProtection,
        "releaseChannel": {"channel": gke.releaseChannel},
        "network": network_path(gke),
        "subnetwork": subnetwork_path(gke),
        "networkingMode": "VPC_NATIVE",
        "ipAllocationPolicy": {"clusterSecondaryRangeName": pods, "servicesSecondaryRangeName": services},
        "privateClusterConfig": private,
        **_entrances(gke),
        "gatewayApiConfig": {"channel": "CHANNEL_STANDARD"},
        "secretManagerConfig": {"enabled": True, "rotationConfig": _ROTATION},
        "secretSyncConfig": {"enabled": True, "rotationConfig": _ROTATION},
        "costManagementConfig": {"enabled": True},
        "securityPostureConfig": {"mode": "BASIC"},
        "resourceLabels": marked(platform, labels),
        **(_standard(gke) if gke.cluster.mode == "standard" else _autopilot(gke)),
    }


def _entrances(gke: Gke) -> dict[str, Any]:
    """The API is reached by its DNS name, where Google asks IAM; by address only from networks that the file names."""
    entrances: dict[str, Any] = {
        "controlPlaneEndpointsConfig": {
            "dnsEndpointConfig": {"allowExternalTraffic": True},
            "ipEndpointsConfig": {"enabled": bool(gke.authorizedNetworks)},
        }
    }
    if gke.authorizedNetworks:
        entrances["masterAuthorizedNetworksConfig"] = {
            "cidrBlocks": [{"cidrBlock": one} for one in gke.authorizedNetworks],
            "gcpPublicCidrsAccessEnabled": False,
        }
    return entrances


def _standard(gke: Gke) -> dict[str, Any]:
    """What Autopilot decides itself, and refuses to be told."""
    return {
        "removeDefaultNodePool": True,
        "initialNodeCount": 1,
        "nodeConfig": _node_config(gke),  # of that pool: many projects have no other account that nodes may act as
        "defaultMaxPodsPerNode": gke.network.maxPodsPerNode,
        "workloadIdentityConfig": {"workloadPool": f"{gke.project}.svc.id.goog"},
        "datapathProvider": "ADVANCED_DATAPATH",
        "enableShieldedNodes": True,
        "addonsConfig": {"gcsFuseCsiDriverConfig": {"enabled": True}},
        "monitoringConfig": {"enableComponents": _METRICS, "managedPrometheus": {"enabled": True}},
        "podAutoscaling": {"hpaProfile": "PERFORMANCE"},
        "nodePoolDefaults": {"nodeConfigDefaults": {"gcfsConfig": {"enabled": True}}},
    }


def _autopilot(gke: Gke) -> dict[str, Any]:
    account = {"serviceAccount": node_service_account(gke), "oauthScopes": SCOPES}
    return {"enableAutopilot": True, "clusterAutoscaling": {"autoProvisioningDefaults": account}}


def _node_config(gke: Gke) -> dict[str, Any]:
    return {
        "serviceAccount": node_service_account(gke),
        "oauthScopes": SCOPES,
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        "shieldedInstanceConfig": SHIELDED,
    }


def system_pool_inputs(platform: str, gke: Gke, labels: dict[str, str]) -> dict[str, Any]:
    """The small pool for the cluster's own pods."""
    return {
        "name": "system",
        "project": gke.project,
        "location": gke.location,
        "cluster": gke.cluster.name,
        "initialNodeCount": 1,
        "autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": SYSTEM_NODES, "locationPolicy": "BALANCED"},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "nodeConfig": {
            **SYSTEM_POOL,
            **_node_config(gke),
            "resourceLabels": marked(platform, labels),
        },
    }
