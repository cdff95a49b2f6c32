"""Platforms that between them make every kind of resource, each part present and absent."""

from __future__ import annotations

from typing import Any

from infra.spec import PlatformSpec

_BUDGET = {"billingAccount": "0A1B2C-3D4E5F-678901", "usdPerMonth": 500}


def platform(labels: dict[str, str] | None = None, **gke: Any) -> PlatformSpec:
    """A created Standard platform, with these fields of `gke` in place of the defaults."""
    values = {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}} | gke
    return PlatformSpec.model_validate(
        {"apiVersion": "servestack/v1", "kind": "Platform", "gke": values, "labels": labels or {}}
    )


CREATED = {
    "plain": platform(),
    "labelled": platform({"team": "search", "environment": "test"}),
    "unprotected": platform(deletionProtection=False),
    "zonal": platform(location="us-central1-a"),
    "autopilot": platform(cluster={"name": "auto", "mode": "autopilot"}),
    "proxies": platform(proxyOnlySubnet="10.129.0.0/23", controlPlane="172.16.0.32/28"),
    "by address": platform(authorizedNetworks=["203.0.113.0/24", "198.51.100.7/32"]),
    "network there": platform(
        network={"create": False, "name": "vpc", "subnetwork": "gke", "podsRange": "p", "servicesRange": "s"}
    ),
    "own ranges": platform(
        network={"nodes": "192.168.0.0/24", "pods": "172.16.0.0/17", "services": "192.168.8.0/24", "maxPodsPerNode": 64}
    ),
    "own account": platform(nodeServiceAccount="my-nodes@servestack-dev.iam.gserviceaccount.com"),
    "no registry": platform(registry=False),
    "nothing but the cluster": platform(
        registry=False, nodeServiceAccount="my-nodes@servestack-dev.iam.gserviceaccount.com"
    ),
    "bucket": platform(bucket={"name": "our-models"}),
    "budget": platform({"team": "search"}, budget=_BUDGET),
    "budget by mail": platform({"team": "search"}, budget={**_BUDGET, "emails": ["a@example.com", "b@example.com"]}),
    "budget of the platform": platform(budget={**_BUDGET, "covers": "platform"}),
}
ADOPTED = platform(cluster={"name": "prod", "create": False})
