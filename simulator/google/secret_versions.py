"""Versions of Secret Manager secrets, which hold the values.

Sources: magic-modules mmv1/products/secretmanager/SecretVersion.yaml and its templates: a destroyed version is gone, an
import leaves the value out, a deletion with DISABLE only disables it. No payload: terraform-provider-google #8766; a
secret that is not there: Google's words of `gcloud secrets describe`. Its reference, Secret Manager API, for the limit.
"""

from __future__ import annotations

import base64
import binascii

from simulator.google import unmanaged
from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.projects import number
from simulator.google.resource_type import Request, ResourceType, key, relative
from simulator.google.secrets import SECRET_MANAGER
from simulator.google.wire import Properties

SECRET_VERSION = "gcp:secretmanager/secretVersion:SecretVersion"
_MOST_BYTES = 65536


def _secret(request: Request) -> str:
    """Full name of the secret, which may be given by its id, or by its name with the project's number."""
    return f"projects/{request.project}/secrets/{relative(str(request.inputs['secret'])).rpartition('/')[2]}"


def _assigned(request: Request) -> Properties:
    """The next number of the secret, the value that nothing else keeps, and what the version goes with."""
    secret = _secret(request)
    record = request.data["resources"].get(key(SECRET_MANAGER, secret)) or {"made": {}}
    version = int(record["made"].get("versions", 0)) + 1
    parent = f"projects/{number(request.project)}/secrets/{secret.rpartition('/')[2]}"
    payload = request.inputs.get("secretData") or request.inputs.get("secretDataWo") or ""
    return {
        "id": f"{parent}/versions/{version}",
        "version": str(version),
        "payload": payload,
        "target": key(SECRET_MANAGER, secret),
    }


def _check(request: Request) -> None:
    """The secret and a payload must be there (no source for the wording of what is no base64, or too long)."""
    secret = _secret(request)
    if key(SECRET_MANAGER, secret) not in request.data["resources"]:
        name = f"projects/{number(request.project)}/secrets/{secret.rpartition('/')[2]}"
        raise GoogleApiError(404, f"Secret [{name}] not found.")
    value = str(request.made["payload"])
    if not value:
        raise GoogleApiError(400, "Field [payload] is required.")
    try:
        size = len(base64.b64decode(value, validate=True) if _is_base64(request) else value.encode())
    except (binascii.Error, ValueError) as error:
        text = "Invalid value at 'payload.data' (TYPE_BYTES), Base64 decoding failed"
        raise GoogleApiError(400, text) from error
    if size > _MOST_BYTES:
        raise GoogleApiError(400, f"The payload is larger than {_MOST_BYTES} bytes.")


def _is_base64(request: Request) -> bool:
    return bool(request.inputs.get("isSecretDataBase64"))


def _count(request: Request) -> None:
    """The secret has one more version; the number is never given again."""
    request.data["resources"][request.made["target"]]["made"]["versions"] = int(request.made["version"])


def _leave(request: Request) -> None:
    """With DISABLE the version stays, and nothing manages it."""
    if request.inputs.get("deletionPolicy") == "DISABLE":
        name = key(SECRET_MANAGER, request.identifier)
        unmanaged.leave(request.data, name, unmanaged.SECRET_VERSION, request.project, state="DISABLED")


def _outputs(request: Request) -> Properties:
    """A secret that is given by its id alone comes back with its project, any other as it was given (pre_create)."""
    given = str(request.inputs["secret"])
    return {
        "name": request.identifier,
        "version": request.made.get("version"),
        "createTime": request.made.get("createdAt"),
        "destroyTime": "",
        "enabled": request.inputs.get("enabled", True),
        "secret": given if "/" in given else _secret(request),
    }


def _words(verb: str, _request: Request, error: GoogleError) -> str:
    """An update is a call of its own, whose error comes as it is (setEnabled)."""
    return str(error) if verb == "update" else ""


TYPES = (
    ResourceType(
        token=SECRET_VERSION,
        sdk="secretmanager.SecretVersionArgs",
        noun="SecretVersion",
        service=SECRET_MANAGER,
        identifier="{id}",
        force_new=("isSecretDataBase64", "project", "secret", "secretData", "secretDataWoVersion"),
        computed=("project",),
        unknown=("createTime", "destroyTime", "name", "project", "version"),
        name="",
        defaults={"deletionPolicy": "DELETE", "enabled": True},
        links=("secret",),
        conflicts=(("secretData", "secretDataWo"), ("secretDataWo", "secretData")),
        required_with=(("secretDataWo", "secretDataWoVersion"),),
        secrets=("secretData", "secretDataWo"),
        write_only=("secretDataWo",),
        not_imported=("secretData",),
        assigned=_assigned,
        outputs=_outputs,
        create_rules=(_check,),
        effect=_count,
        after_delete=_leave,
        wrap=_words,
    ),
)
