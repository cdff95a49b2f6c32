"""Names of the managed instance groups behind a node pool, one for each zone, and of their instances."""

from __future__ import annotations

import hashlib
import secrets

_STEM_LIMIT = 46
"""So that an instance's name stays within the 63 characters of a node name."""
_SUFFIX_LETTERS = "0123456789bcdfghjklmnpqrstvwxz"
_COMPUTE = "https://www.googleapis.com/compute/v1"


def _stem(project: str, cluster: str, pool: str, zone: str) -> str:
    digest = hashlib.sha256(f"{project}/{cluster}/{pool}/{zone}".encode()).hexdigest()[:8]
    return f"gke-{f'{cluster}-{pool}'[:_STEM_LIMIT].rstrip('-')}-{digest}"


def group_name(project: str, cluster: str, pool: str, zone: str) -> str:
    """Such as "gke-dev-h100-1a2b3c4d-grp", the form that GKE uses."""
    return f"{_stem(project, cluster, pool, zone)}-grp"


def instance_name(project: str, cluster: str, pool: str, zone: str) -> str:
    """A new instance's name, which is also its node's: four random characters end it."""
    return f"{_stem(project, cluster, pool, zone)}-{''.join(secrets.choice(_SUFFIX_LETTERS) for _ in range(4))}"


def group_url(project: str, cluster: str, pool: str, zone: str) -> str:
    """The group's URL, by which the autoscaler names it in its events."""
    name = group_name(project, cluster, pool, zone)
    return f"{_COMPUTE}/projects/{project}/zones/{zone}/instanceGroups/{name}"


def manager_url(project: str, cluster: str, pool: str, zone: str) -> str:
    """The URL of the group's manager, which a node pool lists in instanceGroupUrls."""
    name = group_name(project, cluster, pool, zone)
    return f"{_COMPUTE}/projects/{project}/zones/{zone}/instanceGroupManagers/{name}"
