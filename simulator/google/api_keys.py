"""API keys, and who may call what with them.

Sources: magic-modules tpgtools/api/apikeys and the Declarative Client Library's services/google/apikeys for fields and
errors (an API that is off: core-solution-services #7); pull request 18797 for checkExistingUsage. A key's name is not
free when the key is deleted (terraform-provider-google #11726 and #19840): Google shows a deleted key, and purges it
after 30 days (k8s-config-connector #1211). A key that is bound to a service account begins with "AQ.", any other with
"AIza" (Gemini API docs, api-key).

Not simulated: the organization policy that forbids bound keys, and whether a key has been used lately.
"""

from __future__ import annotations

import datetime
import itertools
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.google import unmanaged
from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.resource_type import Request, ResourceType, key
from simulator.google.service_accounts import account_exists
from simulator.google.wire import Properties

API_KEY = "gcp:projects/apiKey:ApiKey"
API_KEYS = "apikeys.googleapis.com"
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
"""The name's description in the schema."""
_KEPT_DAYS = 30
_CLIENTS = ("androidKeyRestrictions", "browserKeyRestrictions", "iosKeyRestrictions", "serverKeyRestrictions")


@dataclass(frozen=True)
class KeyUse:
    """What a key is good for.

    Attributes:
        project: The project that its calls count against.
        services: Methods by the APIs that it may call, () for all of an API; None for a key without such restrictions.
        service_account: The address of the account that it stands for, if any.
    """

    project: str
    services: Mapping[str, tuple[str, ...]] | None
    service_account: str | None

    def may_call(self, service: str) -> bool:
        """Whether it may call anything of an API such as "generativelanguage.googleapis.com"."""
        return self.services is None or service in self.services


def valid_keys(data: dict[str, Any]) -> dict[str, KeyUse]:
    """Every key that Google would take, by its key string.

    One that was deleted is not among them, nor one whose service account is gone (no source for that).
    """
    found = {}
    for record in data["resources"].values():
        if record["type"] != API_KEY:
            continue
        account = _account(record["inputs"])
        if account is None or account_exists(data, account):
            found[str(record["made"]["keyString"])] = KeyUse(record["project"], _targets(record["inputs"]), account)
    return found


def _account(inputs: Properties) -> str | None:
    """The address of the account that a key is bound to, which may be given by its full name."""
    return str(inputs.get("serviceAccountEmail") or "").rpartition("/")[2] or None


def _targets(inputs: Properties) -> dict[str, tuple[str, ...]] | None:
    targets = (inputs.get("restrictions") or {}).get("apiTargets") or []
    return {str(one["service"]): tuple(one.get("methods") or ()) for one in targets} or None


def _key_string(request: Request) -> Properties:
    bound = _account(request.inputs) is not None
    text = f"AQ.{secrets.token_urlsafe(37)}" if bound else f"AIza{secrets.token_urlsafe(27)[:35]}"
    return {"keyString": text, "uid": str(uuid.uuid4())}


def _check(request: Request) -> None:
    """The form of a name, the length of a displayed one, and the account (no source for the wording)."""
    if not _NAME.fullmatch(str(request.inputs.get("name"))):
        raise GoogleApiError(400, f"Key ID {request.inputs.get('name')} must match {_NAME.pattern}.")
    if len(str(request.inputs.get("displayName") or "")) > 63:
        raise GoogleApiError(400, "The display name of a key must not have more than 63 characters.")
    account = _account(request.inputs)
    if account and not account_exists(request.data, account):
        raise GoogleApiError(400, f"Service account {account} does not exist.")


def _taken(request: Request) -> GoogleError:
    """The library's words; where it prints the whole key, only its name stands here."""
    name = request.identifier.rpartition("/")[2]
    return GoogleError(f'Resource already exists - apply blocked by lifecycle params: &apikeys.Key{{Name:"{name}"}}.')


def _name_is_free(request: Request) -> None:
    """The library finds a deleted key as if it were there."""
    entry = request.data["unmanaged"].get(key(API_KEYS, request.identifier))
    if entry is None:
        return
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(entry["since"])
    if age < datetime.timedelta(days=_KEPT_DAYS):
        raise _taken(request)


def _leave(request: Request) -> None:
    unmanaged.leave(request.data, key(API_KEYS, request.identifier), unmanaged.API_KEY, request.project)


def _forget(request: Request) -> None:
    request.data["unmanaged"].pop(key(API_KEYS, request.identifier), None)


def _words(verb: str, _request: Request, error: GoogleError) -> str:
    if verb == "create" and isinstance(error, GoogleApiError) and error.code == 403:
        return f"Error creating Key: failed to create a diff: failed to retrieve Key resource: {error}"
    doing = {"create": "creating", "update": "updating", "delete": "deleting"}.get(verb, "reading")
    return f"Error {doing} Key: {error}"


TYPES = (
    ResourceType(
        token=API_KEY,
        sdk="projects.ApiKeyArgs",
        noun="Key",
        service=API_KEYS,
        identifier="projects/{project}/locations/global/keys/{name}",
        force_new=("name", "project", "serviceAccountEmail"),
        computed=("deletionPolicy", "project"),
        unknown=("keyString", "project", "uid"),
        links=("serviceAccountEmail",),
        choices={"checkExistingUsage": ("SKIP", "CHECK")},
        conflicts=tuple(
            (f"restrictions.{one}", f"restrictions.{other}") for one, other in itertools.permutations(_CLIENTS, 2)
        ),
        secrets=("keyString",),
        assigned=_key_string,
        outputs=lambda request: {name: request.made.get(name) for name in ("keyString", "uid")},
        create_rules=(_name_is_free,),
        change_rules=(_check,),
        effect=_forget,
        after_delete=_leave,
        taken=_taken,
        wrap=_words,
    ),
)
