"""Cloud Storage buckets.

Source: terraform-provider-google resource_storage_bucket.go. Names that are taken: terraform-example-foundation #716
(by another project) and gitpod #15578 (by one's own). The wording of what a name must be is from memory
(verify.ValidateGCSName).
"""

from __future__ import annotations

from typing import Any

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.places import BUCKET_PLACES
from simulator.google.projects import number
from simulator.google.resource_type import Pattern, Request, ResourceType, key
from simulator.google.wire import Properties

BUCKET = "gcp:storage/bucket:Bucket"
STORAGE = "storage.googleapis.com"
_CLASSES = ("STANDARD", "MULTI_REGIONAL", "REGIONAL", "NEARLINE", "COLDLINE", "ARCHIVE")
_WEEK_SECONDS = 604800


def _place_exists(request: Request) -> None:
    """No source for the wording."""
    if str(request.inputs["location"]).lower() not in BUCKET_PLACES:
        text = f"The specified location constraint is not valid: {request.inputs['location']}."
        raise GoogleApiError(400, text, "invalid")


def _taken(request: Request) -> GoogleError:
    record = request.data["resources"][key(STORAGE, request.identifier)]
    if record["project"] == request.project:
        text = "Your previous request to create the named bucket succeeded and you already own it."
    else:
        text = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )
    return GoogleApiError(409, text, "conflict")


def _may_be_emptied(request: Request) -> None:
    """Objects stay unless they may go: their retention must be over, and forceDestroy be set.

    Without a locked policy the provider tries to delete them, and Google refuses each that is too young (no source
    for the wording of Google's part).
    """
    objects = request.made.get("objects") or []
    if not objects:
        return
    policy = request.inputs.get("retentionPolicy") or {}
    if policy.get("isLocked"):
        raise GoogleError(
            f"Bucket '{request.identifier}' contains objects that have not met the retention period yet and cannot be "
            "deleted."
        )
    if not request.inputs.get("forceDestroy"):
        raise GoogleError(f"Error trying to delete bucket {request.identifier} without `force_destroy` set to true")
    if policy:
        refusal = GoogleApiError(
            403,
            f"Object '{request.identifier}/{objects[0]}' is subject to bucket's retention policy or object retention "
            "and cannot be deleted or overwritten until its retention period is over.",
            "retentionPolicyNotMet",
        )
        raise GoogleError(f"could not delete non-empty bucket due to error when deleting contents: {refusal}")


def _unlocks(path: str, old: Any, new: Any) -> bool:
    """A locked policy is taken off by replacement (ForceNewIfChange isPolicyLocked)."""
    return path != "retentionPolicy.isLocked" or (bool(old) and not new)


def _outputs(request: Request) -> Properties:
    soft = request.inputs.get("softDeletePolicy") or {}
    return {
        "location": str(request.inputs["location"]).upper(),
        "projectNumber": int(number(request.project)),
        "publicAccessPrevention": request.inputs.get("publicAccessPrevention") or "inherited",
        "rpo": request.inputs.get("rpo") or "",
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{request.identifier}",
        "softDeletePolicy": {
            "effectiveTime": request.made.get("createdAt"),
            "retentionDurationSeconds": _WEEK_SECONDS,
            **soft,
        },
        "timeCreated": request.made.get("createdAt"),
        "uniformBucketLevelAccess": bool(request.inputs.get("uniformBucketLevelAccess")),
        "updated": request.made.get("updatedAt"),
        "url": f"gs://{request.identifier}",
        "versioning": request.inputs.get("versioning") or {"enabled": False},
        "website": request.inputs.get("website") or {},
    }


def _plain_words(_verb: str, _request: Request, error: GoogleError) -> str:
    """Errors come as they are."""
    return str(error)


TYPES = (
    ResourceType(
        token=BUCKET,
        sdk="storage.BucketArgs",
        noun="Bucket",
        service=STORAGE,
        identifier="{name}",
        force_new=(
            "customPlacementConfig.dataLocations",
            "enableObjectRetention",
            "hierarchicalNamespace",
            "location",
            "name",
            "project",
            "retentionPolicy.isLocked",
        ),
        computed=(
            "deletionPolicy",
            "project",
            "publicAccessPrevention",
            "rpo",
            "softDeletePolicy",
            "uniformBucketLevelAccess",
            "versioning",
            "website",
        ),
        unknown=(
            "effectiveLabels",
            "project",
            "projectNumber",
            "publicAccessPrevention",
            "pulumiLabels",
            "rpo",
            "selfLink",
            "softDeletePolicy",
            "timeCreated",
            "uniformBucketLevelAccess",
            "updated",
            "url",
            "versioning",
            "website",
        ),
        defaults={"forceDestroy": False, "storageClass": "STANDARD"},
        caseless=("location", "customPlacementConfig.dataLocations"),
        sets=("customPlacementConfig.dataLocations",),
        patterns=(
            Pattern(
                "name",
                r"[0-9a-z_.-]+",
                '"{value}" name value can only contain lowercase letters, numeric characters, dashes (-), underscores '
                "(_), and dots (.)",
            ),
            Pattern("name", r"[0-9a-z].*[0-9a-z]", '"{value}" name value must start and end with a number or letter'),
            Pattern(
                "name",
                r".{3,63}|.{3,}\..{1,222}",
                '"{value}" name value must contain from 3 to 63 characters. Names containing dots can contain up to '
                "222 characters, but each dot-separated component can be no longer than 63 characters.",
            ),
            Pattern("name", r"(?!goog)(?!.*google).*", '"{value}" name value cannot contain "goog" or "google"'),
        ),
        choices={"storageClass": _CLASSES, "publicAccessPrevention": ("inherited", "enforced")},
        labelled=True,
        outputs=_outputs,
        create_rules=(_place_exists,),
        delete_rules=(_may_be_emptied,),
        replaces=_unlocks,
        taken=_taken,
        wrap=_plain_words,
        timeouts={"create": 600.0, "update": 240.0, "delete": 1200.0},
    ),
)
