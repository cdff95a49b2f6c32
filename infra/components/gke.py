"""GKE: the platform's cluster, and an endpoint's own pool of accelerator nodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pulumi
import pulumi_gcp as gcp
from pulumi.runtime import invoke

from infra.components.gke_inputs import accelerator_pool_inputs, cluster_inputs, system_pool_inputs
from infra.errors import PlatformError
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke

# Resources are made by their type tokens: importing the SDK's classes for all of GKE takes longer than everything
# else in a preview. That their inputs are those of the classes is tested.
_CLUSTER, _NODE_POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
_GET_CLUSTER = "gcp:container/getCluster:getCluster"
_PLUGIN_VERSION = version("pulumi-gcp")


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
        found = invoke(
            _GET_CLUSTER,
            {"name": gke.cluster.name, "location": gke.location, "project": gke.project},
            pulumi.InvokeOptions(provider=provider, version=_PLUGIN_VERSION),
        ).value
    except Exception as error:
        if "not found" in str(error).lower() or "404" in str(error):
            step = f"Run `pulumi up -s {platform}` first." if gke.cluster.create else "Create it, or correct the file."
            raise PlatformError(f"platform '{platform}': {where} does not exist. {step}") from None
        reason = str(error).strip().split("\n")[0]
        raise PlatformError(f"platform '{platform}': {where} cannot be read: {reason}") from None
    if not found.get("endpoint"):
        raise PlatformError(f"platform '{platform}': {where} has no address yet. Wait for its creation to end.")
    authority = found["masterAuths"][0]["clusterCaCertificate"]
    return ClusterAccess(
        kubeconfig(gke, found["endpoint"], authority),
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
        options = pulumi.ResourceOptions(
            parent=self,
            provider=provider,
            version=_PLUGIN_VERSION,
            ignore_changes=["initialNodeCount", "nodeConfig"],
        )
        self.cluster = pulumi.CustomResource(_CLUSTER, name, cluster_inputs(name, gke, labels), options)
        self.system_pool = pulumi.CustomResource(
            _NODE_POOL,
            f"{name}-system",
            system_pool_inputs(name, gke, labels),
            pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                version=_PLUGIN_VERSION,
                depends_on=[self.cluster],
                ignore_changes=["initialNodeCount"],
            ),
        )
        self.register_outputs({})


class AcceleratorNodePool(pulumi.ComponentResource):
    """An endpoint's own pool: exactly the machines of its plan, empty until a pod asks.

    Its name is the stack's, so it is replaced delete-first: quota for two such pools is rarely there.
    """

    def __init__(self, plan: ServingPlan, gke: Gke, provider: gcp.Provider) -> None:
        super().__init__("servestack:gke:AcceleratorNodePool", plan.stack)
        inputs: dict[str, Any] = accelerator_pool_inputs(plan, gke)
        self.pool = pulumi.CustomResource(
            _NODE_POOL,
            plan.stack,
            inputs,
            pulumi.ResourceOptions(
                parent=self,
                provider=provider,
                version=_PLUGIN_VERSION,
                delete_before_replace=True,
                ignore_changes=["initialNodeCount"],
                custom_timeouts=pulumi.CustomTimeouts(create="30m", update="30m", delete="30m"),
            ),
        )
        self.register_outputs({})
