"""The rights of an endpoint's own service account: one IAM member for each grant of the plan."""

from __future__ import annotations

from typing import Any

from infra.cloud.resource import CloudResource
from infra.plan.identity import WRITES_BUCKET, Grant, principal
from infra.plan.placed import Placed
from infra.spec import Gke

BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
SECRET_MEMBER = "gcp:secretmanager/secretIamMember:SecretIamMember"


def identity(plan: Placed, gke: Gke, project_number: str) -> tuple[CloudResource, ...]:
    """Members, each of one role on one bucket or secret: they add a right and take none that others gave."""
    member = principal(gke.project, project_number, plan.stack, plan.stack)
    return tuple(_resource(plan.stack, one, member) for one in plan.grants)


def _resource(stack: str, grant: Grant, member: str) -> CloudResource:
    inputs: dict[str, Any] = {"role": grant.role, "member": member}
    does = "writes" if grant.role == WRITES_BUCKET else "reads"
    if grant.on == "bucket":
        return CloudResource(BUCKET_MEMBER, f"{stack}-{does}-{grant.name}", inputs | {"bucket": grant.name})
    secret = {"project": grant.project, "secretId": grant.name}
    return CloudResource(SECRET_MEMBER, f"{stack}-reads-{grant.project}-{grant.name}", inputs | secret)
