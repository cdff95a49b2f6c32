"""Members of IAM policies: one principal with one role on one thing.

Source: terraform-provider-google tpgiamresource/resource_iam_member.go for ids, checks and what is idempotent; a role
whose form cannot be one: terraform-google-iam #219; a target that is missing: SygniaLabs/ScallOps #23 for buckets.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.projects import RESOURCE_MANAGER, number
from simulator.google.resource_type import Pattern, Request, ResourceType, key, relative
from simulator.google.service_accounts import IAM, check_account, check_pool
from simulator.google.wire import Properties

_ROLE = re.compile(r"roles/(owner|editor|viewer|browser|[a-z][A-Za-z0-9]*(\.[A-Za-z][A-Za-z0-9]*)+)")
_CUSTOM_ROLE = re.compile(r"(projects|organizations)/[^/]+/roles/[A-Za-z0-9_.]{3,64}")
_PRINCIPAL = re.compile(
    r"principal(Set)?://iam\.googleapis\.com/projects/(\d+)/locations/global/workloadIdentityPools/"
    r"([^/]+)\.svc\.id\.goog/.+"
)
_KINDS = ("user", "group", "domain", "serviceAccount", "projectOwner", "projectEditor", "projectViewer")
_MEMBER = Pattern(
    "member",
    r"(?!deleted)((.+:.+)|projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers)",
    'invalid value "{value}" for {name} (IAM members must have one of the values outlined here: '
    "https://cloud.google.com/billing/docs/reference/rest/v1/Policy#Binding)",
)
_ACCOUNT = Pattern("serviceAccountId", "projects/[^/]+/serviceAccounts/[^/]+")
"""The provider's own expression is longer (verify.ServiceAccountLinkRegex)."""
Target = Callable[[Request], tuple[str, str]]
"""Full name of the thing in the state, and its id in the member's id."""


def normal(member: str) -> str:
    """Addresses in small letters; the kind before the colon and federated principals as they are."""
    kind, colon, name = member.partition(":")
    return f"{kind}{colon}{name.lower()}" if kind in _KINDS and colon else member


def _words(described: Callable[[Request], str], batched: bool = False) -> Callable[[str, Request, GoogleError], str]:
    def word(verb: str, request: Request, error: GoogleError) -> str:
        what = described(request)
        if isinstance(error, GoogleApiError) and error.code in (403, 404):
            text = f"Error retrieving IAM policy for {what}: {error}"
        else:
            text = f"Error applying IAM policy for {what}: Error setting IAM policy for {what}: {error}"
        if not batched:
            return text
        done = "Create" if verb == "create" else "Delete"
        role, member = request.inputs["role"], request.inputs["member"]
        return f"Request `{done} IAM Members {role} {member} for {what}` returned error: {text}"

    return word


def _check_principal(request: Request) -> None:
    """Who is named must be there.

    That Google checks the pool of a principal:// as it does that of a serviceAccount: of the same pool is assumed;
    the number in it must be that of the pool's project (no source for the wording).
    """
    role, member = str(request.inputs["role"]), str(request.inputs["member"])
    if not (_ROLE.fullmatch(role) or _CUSTOM_ROLE.fullmatch(role)):
        raise GoogleApiError(400, f"Role {role} is not supported for this resource.", "badRequest")
    kind, _, name = member.partition(":")
    found = _PRINCIPAL.fullmatch(member)
    if found:
        if number(found[3]) != found[2]:
            raise GoogleApiError(400, f"Invalid principal: {member}.", "badRequest")
        check_pool(request.data, found[3])
    elif kind == "serviceAccount":
        check_account(request.data, name)
    elif kind in ("user", "group") and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", name):
        raise GoogleApiError(400, f"Invalid member: {member}.", "badRequest")
    elif kind not in (*_KINDS, "principal", "principalSet") and ":" in member:
        text = f"The member {member} is of an unknown type. Please set a valid type prefix for the member."
        raise GoogleApiError(400, text, "invalid")


def _is_not_public(request: Request) -> None:
    """A bucket that prevents public access has no public members (the wording is from memory)."""
    record = request.data["resources"].get(_bucket(request)[0]) or {"inputs": {}}
    public = request.inputs["member"] in ("allUsers", "allAuthenticatedUsers")
    if public and record["inputs"].get("publicAccessPrevention") == "enforced":
        raise GoogleApiError(
            412,
            "The member bindings allUsers and allAuthenticatedUsers are not allowed since public access prevention is "
            "enforced.",
            "conditionNotMet",
        )


def _target_exists(target: Target, missing: Callable[[str], GoogleError]) -> Callable[[Request], None]:
    def check(request: Request) -> None:
        full_name, identifier = target(request)
        if full_name not in request.data["resources"]:
            raise missing(identifier)

    return check


def _member_type(
    token: str,
    sdk: str,
    service: str,
    target: Target,
    force_new: tuple[str, ...],
    described: Callable[[Request], str],
    missing: Callable[[str], GoogleError] | None,
    batched: bool = False,
    outputs: Callable[[Request], Properties] = lambda _request: {},
) -> ResourceType:
    def assigned(request: Request) -> Properties:
        full_name, identifier = target(request)
        condition = request.inputs.get("condition") or {}
        ending = "".join(f"/{condition.get(part) or ''}" for part in ("title", "description", "expression"))
        suffix = f"/{request.inputs['role']}/{normal(str(request.inputs['member']))}"
        return {"target": full_name, "id": identifier + suffix + (ending if condition else "")}

    rules = [_target_exists(target, missing)] if missing else []
    return ResourceType(
        token=token,
        sdk=sdk,
        noun="IAM member",
        service=service,
        identifier="{id}",
        force_new=("condition", "member", "role", *force_new),
        computed=tuple(one for one in ("location", "project") if one in force_new),
        unknown=("etag",),
        name="",
        links=tuple(one for one in force_new if one not in ("project", "location")),
        patterns=(_MEMBER, *((_ACCOUNT,) if "serviceAccountId" in force_new else ())),
        assigned=assigned,
        outputs=lambda request: {"etag": _etag(request.identifier), **outputs(request)},
        create_rules=(*rules, _check_principal, *((_is_not_public,) if "bucket" in force_new else ())),
        wrap=_words(described, batched),
    )


def _etag(identifier: str) -> str:
    return base64.b64encode(b"\x07" + hashlib.sha256(identifier.encode()).digest()[:7]).decode()


def _generated(noun: str) -> Callable[[str], GoogleError]:
    """No source for the wording."""
    return lambda identifier: GoogleApiError(404, f"{noun} [{identifier}] not found.", "notFound")


def _secret(request: Request) -> tuple[str, str]:
    given = relative(str(request.inputs["secretId"]))
    name = given if given.startswith("projects/") else f"projects/{request.project}/secrets/{given}"
    return key("secretmanager.googleapis.com", name), name


def _repository(request: Request) -> tuple[str, str]:
    given = relative(str(request.inputs["repository"]))
    location = request.inputs.get("location") or request.configuration.get("region") or ""
    parent = f"projects/{request.project}/locations/{location}/repositories"
    name = given if given.startswith("projects/") else f"{parent}/{given}"
    return key("artifactregistry.googleapis.com", name), name


def _bucket(request: Request) -> tuple[str, str]:
    name = str(request.inputs["bucket"]).removeprefix("b/")
    return key("storage.googleapis.com", name), f"b/{name}"


def _account(request: Request) -> tuple[str, str]:
    name = str(request.inputs["serviceAccountId"])
    return key(IAM, name), name


def _project(request: Request) -> tuple[str, str]:
    return key(RESOURCE_MANAGER, f"projects/{request.project}"), request.project


def _no_bucket(_identifier: str) -> GoogleError:
    return GoogleApiError(404, "The specified bucket does not exist.", "notFound")


def _no_account(identifier: str) -> GoogleError:
    return GoogleApiError(404, f"Unknown service account: {identifier}.", "notFound")


def _place(request: Request) -> dict[str, Any]:
    parts = _repository(request)[1].split("/")
    return {"location": parts[3], "repository": "/".join(parts)}


TYPES = (
    _member_type(
        "gcp:projects/iAMMember:IAMMember",
        "projects.IAMMemberArgs",
        RESOURCE_MANAGER,
        _project,
        ("project",),
        lambda request: f'project "{request.project}"',
        missing=None,
        batched=True,
    ),
    _member_type(
        "gcp:serviceaccount/iAMMember:IAMMember",
        "serviceaccount.IAMMemberArgs",
        IAM,
        _account,
        ("serviceAccountId",),
        lambda request: f"service account '{request.inputs['serviceAccountId']}'",
        _no_account,
    ),
    _member_type(
        "gcp:storage/bucketIAMMember:BucketIAMMember",
        "storage.BucketIAMMemberArgs",
        "storage.googleapis.com",
        _bucket,
        ("bucket",),
        lambda request: f'storage bucket "{_bucket(request)[1]}"',
        _no_bucket,
    ),
    _member_type(
        "gcp:secretmanager/secretIamMember:SecretIamMember",
        "secretmanager.SecretIamMemberArgs",
        "secretmanager.googleapis.com",
        _secret,
        ("secretId", "project"),
        lambda request: f'secretmanager secret "{_secret(request)[1]}"',
        _generated("Secret"),
        outputs=lambda request: {"secretId": _secret(request)[1]},
    ),
    _member_type(
        "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember",
        "artifactregistry.RepositoryIamMemberArgs",
        "artifactregistry.googleapis.com",
        _repository,
        ("repository", "location", "project"),
        lambda request: f'artifactregistry repository "{_repository(request)[1]}"',
        _generated("Repository"),
        outputs=_place,
    ),
)
