"""Names of what a created platform makes: they follow from its file, so that nothing has to be looked up."""

from __future__ import annotations

import hashlib

from infra.spec import Gke

_LONGEST = 63  # of a bucket's and of a repository's name


def bucket_name(platform: str, gke: Gke) -> str:
    """Bucket for weights; buckets of all projects share one space of names, so it begins with the project's."""
    return gke.bucket.name if gke.bucket else _cut(f"{gke.project}-{platform}-weights")


def repository_id(gke: Gke, upstream: str) -> str:
    """Repository in the platform's region through which images of a registry are pulled; `upstream` is short."""
    cluster = gke.cluster.name if gke.location == gke.region else f"{gke.cluster.name}-{gke.location}"
    return _cut(f"{cluster}-{upstream}")


def network_name(gke: Gke) -> str:
    """Network of the platform, its own unless the file names one."""
    return gke.network.name or f"{gke.cluster.name}-{gke.location}"[:_LONGEST].rstrip("-")


def subnetwork_name(gke: Gke) -> str:
    """The nodes' subnet."""
    return gke.network.subnetwork or f"{network_name(gke)[: _LONGEST - 6].rstrip('-')}-nodes"


def _cut(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 7].rstrip('-')}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
