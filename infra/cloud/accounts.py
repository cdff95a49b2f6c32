"""The Google account as which a platform's nodes pull images and send metrics and logs."""

from __future__ import annotations

import hashlib

from infra.cloud.apis import api_name
from infra.cloud.resource import CloudResource
from infra.spec import Gke

ACCOUNT = "gcp:serviceaccount/account:Account"
IAM_MEMBER = "gcp:projects/iAMMember:IAMMember"
# Source: GoogleCloudPlatform/accelerated-platforms container_node_pool.tf (9320f3b), without the registry's, which is
# given for the platform's own repositories alone.
NODE_ROLES = (
    "roles/container.defaultNodeServiceAccount",
    "roles/autoscaling.metricsWriter",
    "roles/logging.logWriter",
    "roles/monitoring.metricWriter",
    "roles/monitoring.viewer",
    "roles/serviceusage.serviceUsageConsumer",
    "roles/stackdriver.resourceMetadata.writer",
)
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


def account_resources(platform: str, gke: Gke) -> tuple[CloudResource, ...]:
    """The account and what it may do; nothing where the file names another, whose owner gives it its roles."""
    email = node_service_account(gke)
    if gke.nodeServiceAccount is not None:
        return ()
    account = f"{platform}-node-account"
    made = [
        CloudResource(
            ACCOUNT,
            account,
            {
                "accountId": node_account_id(gke),
                "project": gke.project,
                "displayName": f"Nodes of GKE cluster {gke.cluster.name}",
            },
            after=(api_name(platform, "iam"),),
        )
    ]
    for role in NODE_ROLES:
        inputs = {"project": gke.project, "role": role, "member": f"serviceAccount:{email}"}
        after = (account, api_name(platform, "cloudresourcemanager"))
        made.append(CloudResource(IAM_MEMBER, _role_name(platform, role), inputs, after=after))
    return tuple(made)


def account_ready(platform: str, gke: Gke) -> tuple[str, ...]:
    """Resources without which nodes are refused what they need."""
    return () if gke.nodeServiceAccount is not None else tuple(_role_name(platform, role) for role in NODE_ROLES)


def _role_name(platform: str, role: str) -> str:
    return f"{platform}-node-{role.removeprefix('roles/').replace('.', '-')}"
