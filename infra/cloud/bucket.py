"""A platform's bucket for weights."""

from __future__ import annotations

from infra.cloud.apis import api_name
from infra.cloud.resource import CloudResource
from infra.plan.platform_names import bucket_name
from infra.spec import Gke

BUCKET = "gcp:storage/bucket:Bucket"
_SOFT_DELETE_SECONDS = 7 * 86400  # what is deleted or written over can be had back for a week


def bucket_resources(platform: str, gke: Gke, labels: dict[str, str]) -> tuple[CloudResource, ...]:
    """Private whatever its objects say, in the cluster's region; a bucket with objects is never deleted."""
    inputs = {
        "name": bucket_name(platform, gke),
        "project": gke.project,
        "location": gke.region.upper(),
        "uniformBucketLevelAccess": True,
        "publicAccessPrevention": "enforced",
        "forceDestroy": False,
        "versioning": {"enabled": True},
        "softDeletePolicy": {"retentionDurationSeconds": _SOFT_DELETE_SECONDS},
        "lifecycleRules": [
            {"action": {"type": "AbortIncompleteMultipartUpload"}, "condition": {"age": 7}},
            {
                "action": {"type": "Delete"},
                "condition": {"daysSinceNoncurrentTime": 7, "numNewerVersions": 1, "withState": "ARCHIVED"},
            },
        ],
        "labels": labels,
    }
    name, after = f"{platform}-weights", (api_name(platform, "storage"),)
    return (CloudResource(BUCKET, name, inputs, after=after, protect=gke.deletionProtection),)
