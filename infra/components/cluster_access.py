"""How a platform's cluster is found and reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import pulumi
from pulumi.runtime import invoke

from infra.errors import PlatformError
from infra.spec import Gke

if TYPE_CHECKING:
    import pulumi_gcp as gcp

_GET_CLUSTER = "gcp:container/getCluster:getCluster"
_PLUGIN_VERSION = version("pulumi-gcp")


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster: kubeconfig text, `secret` where it may hold a credential, and a name that it keeps."""

    kubeconfig: str
    identifier: str
    secret: bool = False


def google_provider(gke: Gke) -> gcp.Provider:
    """The one Google provider of a stack, bound to the platform's project: never an ambient one."""
    import pulumi_gcp as gcp  # not where no Google Cloud is

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
