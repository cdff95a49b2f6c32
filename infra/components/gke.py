"""GKE: the platform's cluster, and an endpoint's own pool of accelerator nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.errors import PlatformError
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke

_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
_MANAGED_BY = "servestack"


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster: kubeconfig text (no secret in it) and a name that stays the same over its life."""

    kubeconfig: str
    identifier: str


def google_provider(gke: Gke) -> gcp.Provider:
    """The one Google provider of a stack, bound to the platform's project: never an ambient one."""
    region = gke.location.rpartition("-")[0] if gke.location.count("-") == 2 else gke.location
    return gcp.Provider("google", project=gke.project, region=region)


def find_cluster(platform: str, gke: Gke, provider: gcp.Provider) -> ClusterAccess:
    """Look the platform's cluster up by name.

    Raises:
        PlatformError: it does not exist, with the command that makes it; or it cannot be read.
    """
    where = f"cluster '{gke.cluster.name}' in {gke.location} of project '{gke.project}'"
    try:
        found = gcp.container.get_cluster(
            name=gke.cluster.name,
            location=gke.location,
            project=gke.project,
            opts=pulumi.InvokeOptions(provider=provider),
        )
    except Exception as error:
        if "not found" in str(error).lower() or "404" in str(error):
            step = f"Run `pulumi up -s {platform}` first." if gke.cluster.create else "Create it, or correct the file."
            raise PlatformError(f"platform '{platform}': {where} does not exist. {step}") from None
        reason = str(error).strip().split("\n")[0]
        raise PlatformError(f"platform '{platform}': {where} cannot be read: {reason}") from None
    if not found.endpoint:
        raise PlatformError(f"platform '{platform}': {where} has no address yet. Wait for its creation to end.")
    authority = found.master_auths[0].cluster_ca_certificate
    return ClusterAccess(
        kubeconfig(gke, found.endpoint, authority),
        f"{gke.project}/{gke.location}/{gke.cluster.name}",
    )


def kubeconfig(gke: Gke, endpoint: str, authority: str) -> str:
    """Kubeconfig as `gcloud container clusters get-credentials` writes it: credentials come from the plugin."""
    context = f"gke_{gke.project}_{gke.location}_{gke.cluster.name}"
    server = {"server": f"https://{endpoint}", "certificate-authority-data": authority}
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "gke-gcloud-auth-plugin",
            "installHint": "Install gke-gcloud-auth-plugin: gcloud components install gke-gcloud-auth-plugin",
            "interactiveMode": "Never",
            "provideClusterInfo": True,
        }
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "clusters": [{"name": context, "cluster": server}],
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "users": [{"name": context, "user": user}],
    }
    return json.dumps(config)


class PlatformCluster(pulumi.ComponentResource):
    """A GKE Standard cluster with a small system pool; accelerator pools belong to endpoints.

    Not made here: networks, node service accounts, registries and budgets.
    """

    def __init__(self, name: str, gke: Gke, labels: dict[str, str], provider: gcp.Provider) -> None:
        super().__init__("servestack:gke:PlatformCluster", name)
        labels = {"managed-by": _MANAGED_BY, "servestack-platform": name, **labels}
        options = pulumi.ResourceOptions(parent=self, provider=provider)
        self.cluster = gcp.container.Cluster(
            name,
            name=gke.cluster.name,
            project=gke.project,
            location=gke.location,
            remove_default_node_pool=True,
            initial_node_count=1,
            deletion_protection=gke.deletionProtection,
            release_channel={"channel": gke.releaseChannel},
            workload_identity_config={"workload_pool": f"{gke.project}.svc.id.goog"},
            datapath_provider="ADVANCED_DATAPATH",
            networking_mode="VPC_NATIVE",
            ip_allocation_policy={},
            enable_shielded_nodes=True,
            gateway_api_config={"channel": "CHANNEL_STANDARD"},
            addons_config={"gcs_fuse_csi_driver_config": {"enabled": True}},
            monitoring_config={
                "enable_components": ["SYSTEM_COMPONENTS"],
                "managed_prometheus": {"enabled": True},
            },
            resource_labels=labels,
            opts=pulumi.ResourceOptions.merge(
                options, pulumi.ResourceOptions(ignore_changes=["initialNodeCount", "nodeConfig"])
            ),
        )
        self.system_pool = gcp.container.NodePool(
            f"{name}-system",
            name="system",
            project=gke.project,
            location=gke.location,
            cluster=self.cluster.name,
            initial_node_count=1,
            autoscaling={"total_min_node_count": 1, "total_max_node_count": 3, "location_policy": "BALANCED"},
            management={"auto_repair": True, "auto_upgrade": True},
            node_config={
                "machine_type": "e2-standard-4",
                "disk_type": "pd-balanced",
                "disk_size_gb": 50,
                "oauth_scopes": _SCOPES,
                "workload_metadata_config": {"mode": "GKE_METADATA"},
                "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
                "resource_labels": labels,
            },
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(ignore_changes=["initialNodeCount"])),
        )
        self.register_outputs({"name": self.cluster.name})


class AcceleratorNodePool(pulumi.ComponentResource):
    """An endpoint's own pool: exactly the machines of its plan, empty until a pod asks.

    Its name is the stack's, so it is replaced delete-first: quota for two such pools is rarely there.
    """

    def __init__(self, plan: ServingPlan, gke: Gke, provider: gcp.Provider) -> None:
        name, accelerator, host = plan.stack, plan.accelerator, plan.host
        super().__init__("servestack:gke:AcceleratorNodePool", name)
        flex = accelerator.capacity == "flex-start"
        self.pool = gcp.container.NodePool(
            name,
            name=name,
            project=gke.project,
            location=gke.location,
            cluster=gke.cluster.name,
            node_locations=list(accelerator.zones),
            initial_node_count=0,
            autoscaling={
                "total_min_node_count": 0,
                "total_max_node_count": plan.replicas,
                "location_policy": "ANY",
            },
            management={"auto_repair": not flex, "auto_upgrade": True},
            upgrade_settings=None if flex else {"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1},
            node_config={
                "machine_type": accelerator.machine_type,
                "guest_accelerators": [
                    {
                        "type": accelerator.gke_label,
                        "count": accelerator.count,
                        "gpu_driver_installation_config": {"gpu_driver_version": "DEFAULT"},
                    }
                ],
                "disk_type": host.boot_disk_type,
                "disk_size_gb": host.boot_disk_gb,
                "ephemeral_storage_local_ssd_config": {"local_ssd_count": host.local_ssds} if host.local_ssds else None,
                "spot": accelerator.capacity == "spot",
                "flex_start": flex,
                "reservation_affinity": {"consume_reservation_type": "NO_RESERVATION"} if flex else None,
                "gvnic": {"enabled": True},
                "oauth_scopes": _SCOPES,
                "workload_metadata_config": {"mode": "GKE_METADATA"},
                "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
                "labels": {"servestack.dev/endpoint": name},
                "taints": [{"key": "servestack.dev/endpoint", "value": name, "effect": "NO_SCHEDULE"}],
                "resource_labels": {"managed-by": _MANAGED_BY, "servestack-endpoint": name, **dict(plan.labels)},
            },
            opts=pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                delete_before_replace=True,
                ignore_changes=["initialNodeCount"],
                custom_timeouts=pulumi.CustomTimeouts(create="30m", update="30m", delete="30m"),
            ),
        )
        self.register_outputs({"name": self.pool.name})
