"""What the stack of a platform makes in Google Cloud."""

from __future__ import annotations

from infra.cloud.accounts import account_resources
from infra.cloud.apis import api_resources
from infra.cloud.bucket import bucket_resources
from infra.cloud.budget import budget_resources
from infra.cloud.cluster import cluster_resources
from infra.cloud.labels import platform_labels
from infra.cloud.network import network_resources
from infra.cloud.registry import registry_resources
from infra.cloud.resource import CloudResource
from infra.spec import PlatformSpec


def platform_resources(name: str, platform: PlatformSpec) -> tuple[CloudResource, ...]:
    """All of it, in the order in which it is made; nothing where the cluster is adopted."""
    gke = platform.gke
    if gke is None or not gke.cluster.create:
        return ()
    labels = platform_labels(name, platform)
    return (
        *api_resources(name, gke),
        *network_resources(name, gke),
        *account_resources(name, gke),
        *registry_resources(name, gke, labels),
        *bucket_resources(name, gke, labels),
        *budget_resources(name, gke, labels),
        *cluster_resources(name, gke, dict(platform.labels)),
    )
