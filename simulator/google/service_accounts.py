"""Service accounts.

Source: magic-modules resource_google_service_account.go; a name that is taken: terraform-provider-google #19112.
Deleting one that something uses is allowed, as at Google.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.networks import numeric_id
from simulator.google.resource_type import Pattern, Request, ResourceType, key
from simulator.google.wire import Properties

ACCOUNT = "gcp:serviceaccount/account:Account"
IAM = "iam.googleapis.com"
_GOOGLES = re.compile(
    r".*@(cloudservices\.gserviceaccount\.com|developer\.gserviceaccount\.com|appspot\.gserviceaccount\.com|"
    r"gcp-sa-[a-z-]+\.iam\.gserviceaccount\.com|[a-z-]+\.google\.com\.iam\.gserviceaccount\.com|"
    r"(container-engine-robot|compute-system|containerregistry|gs-project-accounts)\.iam\.gserviceaccount\.com)"
)
"""Accounts that Google makes itself."""
_POOL = re.compile(r"([a-z][-a-z0-9:.]*)\.svc\.id\.goog\[[^/\]]+/[^/\]]+\]")
_OWN = re.compile(r"[^@]+@([a-z][-a-z0-9]*)\.iam\.gserviceaccount\.com")


def email(project: str, account_id: str) -> str:
    """An account's address."""
    return f"{account_id}@{project}.iam.gserviceaccount.com"


def account_exists(data: dict[str, Any], address: str) -> bool:
    """Whether there is an account: one that was made, or one of Google's own."""
    found = _OWN.fullmatch(address)
    if found and key(IAM, f"projects/{found[1]}/serviceAccounts/{address}") in data["resources"]:
        return True
    return bool(_GOOGLES.fullmatch(address))


def check_account(data: dict[str, Any], address: str) -> None:
    """A member that is a service account must exist.

    Raises:
        GoogleApiError: It does not ("Service account X does not exist.", GoogleCloudPlatform/genai-for-marketing
            #139), or it stands for a Kubernetes account of a project without Workload Identity ("Identity Pool
            does not exist (P.svc.id.goog)." in many public runs).
    """
    pool = _POOL.fullmatch(address)
    if pool:
        check_pool(data, pool[1])
    elif not account_exists(data, address):
        raise GoogleApiError(400, f"Service account {address} does not exist.", "badRequest")


def check_pool(data: dict[str, Any], project: str) -> None:
    """The project's Workload Identity pool, which its first cluster with one makes.

    Raises:
        GoogleApiError: No cluster of the project has it.
    """
    pool = f"{project}.svc.id.goog"
    for record in data["clusters"].values():
        inputs = record["inputs"]
        if inputs.get("enableAutopilot") or (inputs.get("workloadIdentityConfig") or {}).get("workloadPool") == pool:
            return
    raise GoogleApiError(
        400,
        f"Identity Pool does not exist ({pool}). Please check that you specified a valid resource name as returned "
        "in the `name` attribute in the configuration API.",
        "badRequest",
    )


def check_node_account(data: dict[str, Any], config: Properties) -> None:
    """The account that nodes run as must exist; the project's default one does.

    Raises:
        GoogleApiError: It does not (midl-dev/tezos-on-gke #45).
    """
    address = config.get("serviceAccount")
    if address and address != "default" and not account_exists(data, str(address)):
        raise GoogleApiError(400, f'Service account "{address}" does not exist.', "badRequest")


def _outputs(request: Request) -> Properties:
    address = email(request.project, str(request.inputs["accountId"]))
    return {
        "email": address,
        "member": f"serviceAccount:{address}",
        "name": request.identifier,
        "uniqueId": numeric_id(request.identifier + str(request.made.get("createdAt")))[:21],
        "disabled": bool(request.inputs.get("disabled")),
        "displayName": request.inputs.get("displayName") or "",
        "description": request.inputs.get("description") or "",
    }


def _taken(request: Request) -> GoogleError | None:
    if request.inputs.get("createIgnoreAlreadyExists"):
        return None
    text = f"Service account {request.inputs['accountId']} already exists within project projects/{request.project}."
    return GoogleApiError(409, text, "alreadyExists")


def _forget_bindings(request: Request) -> None:
    """Its bindings turn into ones of a deleted principal, which nothing here reads."""
    address = request.identifier.rpartition("/")[2]
    resources = request.data["resources"]
    for name, record in list(resources.items()):
        if record["inputs"].get("member") == f"serviceAccount:{address}":
            del resources[name]


def _words(verb: str, request: Request, error: GoogleError) -> str:
    if verb == "update":
        return f'Error retrieving service account "{request.identifier}": {error}'
    return f"Error {'creating' if verb == 'create' else 'deleting'} service account: {error}"


TYPES = (
    ResourceType(
        token=ACCOUNT,
        sdk="serviceaccount.AccountArgs",
        noun="ServiceAccount",
        service=IAM,
        identifier="projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
        force_new=("accountId", "project"),
        computed=("deletionPolicy", "project"),
        unknown=("email", "member", "name", "project", "uniqueId"),
        name="accountId",
        name_limit=30,
        defaults={"disabled": False},
        patterns=(Pattern("accountId", "[a-z](?:[-a-z0-9]{4,28}[a-z0-9])"),),
        outputs=_outputs,
        after_delete=_forget_bindings,
        taken=_taken,
        wrap=_words,
        timeouts={"create": 300.0, "update": 1200.0, "delete": 1200.0},
    ),
)
