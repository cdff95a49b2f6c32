"""Secret Manager secrets; their versions are in `secret_versions`.

Sources: magic-modules mmv1/products/secretmanager/Secret.yaml and its pre_delete template; a name that is taken:
exposure-notifications-verification-server #456.
"""

from __future__ import annotations

import base64
from typing import Any

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.projects import number
from simulator.google.resource_type import Pattern, Request, ResourceType, key
from simulator.google.wire import Properties

SECRET = "gcp:secretmanager/secret:Secret"
SECRET_MANAGER = "secretmanager.googleapis.com"


def secret_value(data: dict[str, Any], project: str, secret: str, version: str = "latest") -> str | None:
    """What a version of a secret holds.

    "latest" is the newest version, whatever its state: Google refuses it when that one is disabled or destroyed
    (google-github-actions/get-secretmanager-secrets #268).

    Args:
        data: The state.
        project: The project's id.
        secret: The secret's id.
        version: A number, or "latest".

    Returns:
        The value; None where Google would give none.
    """
    found = data["resources"].get(key(SECRET_MANAGER, f"projects/{project}/secrets/{secret}"))
    if found is None:
        return None
    number_given = found["made"].get("versions") if version == "latest" else version
    name = f"projects/{number(project)}/secrets/{secret}/versions/{number_given}"
    record = data["resources"].get(key(SECRET_MANAGER, name))
    if record is None or not record["inputs"].get("enabled", True):
        return None
    value = str(record["made"]["payload"])
    return base64.b64decode(value).decode() if record["inputs"].get("isSecretDataBase64") else value


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


def _forget_versions(request: Request) -> None:
    """Its versions go with it, also those that nothing manages."""
    versions = key(SECRET_MANAGER, f"projects/{number(request.project)}/secrets/{request.inputs['secretId']}/versions/")
    for name in [name for name in request.data["unmanaged"] if name.startswith(versions)]:
        del request.data["unmanaged"][name]


def _words(verb: str, request: Request, error: GoogleError) -> str:
    return str(error) if verb == "delete" and request.inputs.get("deletionProtection") else ""


TYPES = (
    ResourceType(
        token=SECRET,
        sdk="secretmanager.SecretArgs",
        noun="Secret",
        service=SECRET_MANAGER,
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
        after_delete=_forget_versions,
        taken=_taken,
        wrap=_words,
    ),
)
