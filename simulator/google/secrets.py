"""Secret Manager secrets (not their versions).

Sources: magic-modules mmv1/products/secretmanager/Secret.yaml and its pre_delete template; a name that is taken:
exposure-notifications-verification-server #456.
"""

from __future__ import annotations

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.projects import number
from simulator.google.resource_type import Pattern, Request, ResourceType
from simulator.google.wire import Properties

SECRET = "gcp:secretmanager/secret:Secret"
_SERVICE = "secretmanager.googleapis.com"


def _is_open(request: Request) -> None:
    if request.inputs.get("deletionProtection"):
        raise GoogleError(
            "cannot destroy secret manager secret without setting deletion_protection=false and running "
            "`terraform apply`"
        )


def _taken(request: Request) -> GoogleError:
    name = f"projects/{number(request.project)}/secrets/{request.inputs['secretId']}"
    return GoogleApiError(409, f"Secret [{name}] already exists.", "alreadyExists")


def _outputs(request: Request) -> Properties:
    return {
        "name": f"projects/{number(request.project)}/secrets/{request.inputs['secretId']}",
        "createTime": request.made.get("createdAt"),
        "effectiveAnnotations": request.inputs.get("annotations") or {},
        "expireTime": request.inputs.get("expireTime") or "",
    }


def _words(verb: str, request: Request, error: GoogleError) -> str:
    return str(error) if verb == "delete" and request.inputs.get("deletionProtection") else ""


TYPES = (
    ResourceType(
        token=SECRET,
        sdk="secretmanager.SecretArgs",
        noun="Secret",
        service=_SERVICE,
        identifier="projects/{project}/secrets/{secretId}",
        force_new=("project", "replication", "secretId", "secretType", "tags"),
        computed=("deletionPolicy", "expireTime", "project"),
        unknown=(
            "createTime",
            "effectiveAnnotations",
            "effectiveLabels",
            "expireTime",
            "name",
            "project",
            "pulumiLabels",
        ),
        name="secretId",
        name_limit=255,
        defaults={"deletionProtection": False},
        patterns=(Pattern("secretId", "[a-zA-Z0-9_-]{1,255}"),),
        one_of=(("replication.userManaged", "replication.auto"),),
        labelled=True,
        outputs=_outputs,
        delete_rules=(_is_open,),
        taken=_taken,
        wrap=_words,
    ),
)
