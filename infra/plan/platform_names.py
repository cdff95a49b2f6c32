"""Names of what a created platform makes: they follow from its file, so that nothing has to be looked up."""

from __future__ import annotations

import hashlib

from infra.spec import Gke

_LONGEST = 63  # of a bucket's and a repository's name, and of those of Compute Engine


def bucket_name(platform: str, gke: Gke) -> str:
    """Bucket for weights; buckets of all projects share one space of names, so it begins with the project's."""
    return gke.bucket.name if gke.bucket else cut(f"{gke.project}-{platform}-weights")


def repository_id(gke: Gke, upstream: str) -> str:
    """Repository in the platform's region through which images of a registry are pulled; `upstream` is short."""
    cluster = gke.cluster.name if gke.location == gke.region else f"{gke.cluster.name}-{gke.location}"
    return cut(f"{cluster}-{upstream}")


def network_name(gke: Gke) -> str:
    """Network of the platform, its own unless the file names one."""
    return gke.network.name or cut(f"{gke.cluster.name}-{gke.location}")


def subnetwork_name(gke: Gke) -> str:
    """The nodes' subnet."""
    return gke.network.subnetwork or cut(f"{network_name(gke)}-nodes")


def cut(name: str) -> str:
    """A name in Google's length; a hash of the whole keeps those apart that are cut."""
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 7].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
