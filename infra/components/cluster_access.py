"""How a platform's cluster is found and reached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pulumi

from infra.cloud.cluster_check import Finding
from infra.cloud.cluster_facts import ClusterFacts, cluster_facts, dns_endpoint
from infra.components.look_up import LookUpError, look_up
from infra.errors import PlatformError
from infra.plan.platform_names import subnetwork_name
from infra.spec import Gke

if TYPE_CHECKING:
    import pulumi_gcp as gcp

_GET_CLUSTER = "gcp:container/getCluster:getCluster"
_GET_SUBNETWORK = "gcp:compute/getSubnetwork:getSubnetwork"


@dataclass(frozen=True)
class ClusterAccess:
    """How to reach a cluster: kubeconfig text, `secret` where it may hold a credential, and a name that it keeps."""

    kubeconfig: str
    identifier: str
    secret: bool = False


@dataclass(frozen=True)
class GkeAccess(ClusterAccess):
    """How to reach a cluster of GKE, by a kubeconfig without a secret; `facts` are what it has."""

    facts: ClusterFacts = field(kw_only=True)


def google_provider(gke: Gke) -> gcp.Provider:
    """The one Google provider of a stack, bound to the platform's project: never an ambient one.

    Google's API of budgets asks users which project pays for the calls (Cloud Billing Budget API, authentication).
    """
    import pulumi_gcp as gcp  # not where no Google Cloud is

    if gke.budget is not None:
        return gcp.Provider(
            "google",
            project=gke.project,
            region=gke.region,
            billing_project=gke.project,
            user_project_override=True,
        )
    return gcp.Provider("google", project=gke.project, region=gke.region)


def project_provider(project: str, region: str) -> gcp.Provider:
    """The one Google provider of a stack on a platform without a cluster."""
    import pulumi_gcp as gcp

    return gcp.Provider("google", project=project, region=region)


def find_cluster(platform: str, gke: Gke, provider: gcp.Provider) -> GkeAccess:
    """Look the platform's cluster up by name.

    It is reached by its DNS name where it has one for users, whose certificate is of a public authority; else by its
    address.

    Raises:
        PlatformError: it does not exist, with the command that makes it; or it cannot be read.
    """
    where = f"cluster '{gke.cluster.name}' in {gke.location} of project '{gke.project}'"
    asked = {"name": gke.cluster.name, "location": gke.location, "project": gke.project}
    try:
        found = look_up(_GET_CLUSTER, asked, provider)
    except LookUpError as error:
        if error.missing:
            step = f"Run `pulumi up -s {platform}` first." if gke.cluster.create else "Create it, or correct the file."
            raise PlatformError(f"platform '{platform}': {where} does not exist. {step}") from None
        raise PlatformError(f"platform '{platform}': {where} cannot be read: {error}") from None
    name = dns_endpoint(found)
    if not name and not found.get("endpoint"):
        raise PlatformError(f"platform '{platform}': {where} has no address yet. Wait for its creation to end.")
    authority = None if name else found["masterAuths"][0]["clusterCaCertificate"]
    return GkeAccess(
        kubeconfig(gke, name or found["endpoint"], authority),
        f"{gke.project}/{gke.location}/{gke.cluster.name}",
        facts=cluster_facts(found),
    )


def find_subnet(platform: str, gke: Gke, provider: gcp.Provider) -> Mapping[str, Any]:
    """Look up the subnet that the platform's file names.

    Raises:
        PlatformError: it does not exist, or cannot be read.
    """
    name = subnetwork_name(gke)
    try:
        return look_up(_GET_SUBNETWORK, {"name": name, "region": gke.region, "project": gke.project}, provider)
    except LookUpError as error:
        where = f"subnet '{name}' in {gke.region} of project '{gke.project}'"
        raise PlatformError(f"platform '{platform}': {where} cannot be read: {error}") from None


def tell(platform: str, findings: Iterable[Finding]) -> None:
    """Warn of what a cluster lacks; refuse what nothing can be deployed without.

    Raises:
        PlatformError: with every finding that blocks.
    """
    blocking = []
    for one in findings:
        if one.blocks:
            blocking.append(f"platform '{platform}': {one}")
        else:
            pulumi.log.warn(f"platform '{platform}': {one}")
    if blocking:
        raise PlatformError("\n".join(blocking))


def kubeconfig(gke: Gke, endpoint: str, authority: str | None) -> str:
    """Kubeconfig as `gcloud container clusters get-credentials` writes it: credentials come from the plugin."""
    context = gke.context
    server = {"server": f"https://{endpoint}"}
    if authority is not None:
        server["certificate-authority-data"] = authority
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
