"""Repositories through which a platform's nodes pull public images: fetched once, then kept in its region."""

from __future__ import annotations

from typing import Any

from infra.cloud.accounts import node_service_account
from infra.cloud.apis import api_name
from infra.cloud.resource import CloudResource
from infra.plan.platform_names import repository_id
from infra.plan.registry import DOCKER_HUB, UPSTREAMS
from infra.spec import Gke

REPOSITORY = "gcp:artifactregistry/repository:Repository"
REPOSITORY_MEMBER = "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember"
_DAY_SECONDS = 86400
# Images of the last versions stay whatever their age, so that a running version can always be pulled again.
_CLEANUP: list[dict[str, Any]] = [
    {"id": "keep-last", "action": "KEEP", "mostRecentVersions": {"keepCount": 5}},
    {"id": "drop-old", "action": "DELETE", "condition": {"olderThan": f"{90 * _DAY_SECONDS}s", "tagState": "ANY"}},
]


def registry_resources(platform: str, gke: Gke, labels: dict[str, str]) -> tuple[CloudResource, ...]:
    """A repository for each registry of the catalogue's images, read by the nodes' account."""
    if not gke.own_registry:
        return ()
    made: list[CloudResource] = []
    email = node_service_account(gke)
    owner = (f"{platform}-node-account",) if gke.nodeServiceAccount is None else ()
    for host, short in UPSTREAMS.items():
        name = f"{platform}-{short}"
        inputs = {
            "repositoryId": repository_id(gke, short),
            "project": gke.project,
            "location": gke.region,
            "format": "DOCKER",
            "mode": "REMOTE_REPOSITORY",
            "description": f"Public images of {host}",
            "remoteRepositoryConfig": {"dockerRepository": _upstream(host)},
            "cleanupPolicies": _CLEANUP,
            "labels": labels,
        }
        reader = {
            "project": gke.project,
            "location": gke.region,
            "repository": repository_id(gke, short),
            "role": "roles/artifactregistry.reader",
            "member": f"serviceAccount:{email}",
        }
        made += [
            CloudResource(REPOSITORY, name, inputs, after=(api_name(platform, "artifactregistry"),)),
            CloudResource(REPOSITORY_MEMBER, f"{name}-reader", reader, after=(name, *owner)),
        ]
    return tuple(made)


def _upstream(host: str) -> dict[str, Any]:
    if host == DOCKER_HUB:
        return {"publicRepository": "DOCKER_HUB"}
    return {"customRepository": {"uri": f"https://{host}"}}
