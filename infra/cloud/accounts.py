"""The Google account as which a platform's nodes pull images and send metrics and logs."""

from __future__ import annotations

import hashlib

from infra.spec import Gke

_LONGEST_ID = 30  # Google: an account's id has 6 to 30 characters


def node_service_account(gke: Gke) -> str | None:
    """E-mail of the nodes' account, or None where nodes have the one that Google gives them.

    A created platform makes its own, named after cluster and location; the file may name another. Of an adopted
    cluster only the file can say it.
    """
    if gke.nodeServiceAccount is not None:
        return gke.nodeServiceAccount
    return f"{node_account_id(gke)}@{gke.project}.iam.gserviceaccount.com" if gke.cluster.create else None


def node_account_id(gke: Gke) -> str:
    """Id of the account that a platform makes, unique in its project: two regions may have clusters of one name."""
    full = f"{gke.cluster.name}-{gke.location}-nodes"
    if len(full) <= _LONGEST_ID:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:6]
    return f"{gke.cluster.name[: _LONGEST_ID - 13].rstrip('-')}-{digest}-nodes"
