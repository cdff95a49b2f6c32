"""Projects: their numbers, and which APIs (services) are on in each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from simulator.errors import SimulatorError
from simulator.google.errors import GoogleApiError

COMPUTE = "compute.googleapis.com"
CONTAINER = "container.googleapis.com"
RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com"
ON_BY_DEFAULT = frozenset(
    f"{name}.googleapis.com"
    for name in (
        "analyticshub",
        "bigquery",
        "bigqueryconnection",
        "bigquerydatapolicy",
        "bigquerymigration",
        "bigqueryreservation",
        "bigquerystorage",
        "cloudapis",
        "cloudtrace",
        "dataform",
        "dataplex",
        "datastore",
        "logging",
        "monitoring",
        "servicemanagement",
        "serviceusage",
        "sql-component",
        "storage",
        "storage-api",
        "storage-component",
    )
)
"""APIs of a new project (Service Usage docs, enabled-service: "Services enabled by default")."""
_PREPARED = frozenset({COMPUTE, CONTAINER, RESOURCE_MANAGER})
"""What an owner turns on by hand before the first run."""
_VARIABLE = "SERVESTACK_SIMULATOR_PROJECTS"
_TITLES = {
    "aiplatform": "Vertex AI API",
    "apikeys": "API Keys API",
    "artifactregistry": "Artifact Registry API",
    "billingbudgets": "Cloud Billing Budget API",
    "cloudresourcemanager": "Cloud Resource Manager API",
    "compute": "Compute Engine API",
    "container": "Kubernetes Engine API",
    "generativelanguage": "Generative Language API",
    "iam": "Identity and Access Management (IAM) API",
    "logging": "Cloud Logging API",
    "monitoring": "Cloud Monitoring API",
    "secretmanager": "Secret Manager API",
    "serviceusage": "Service Usage API",
    "storage": "Cloud Storage API",
}
_NEEDS = {CONTAINER: (COMPUTE,), COMPUTE: ("oslogin.googleapis.com",)}
"""What an API turns on with itself, and what cannot be turned off before it (terraform-provider-google #5424 for
container and compute, magic-modules #4200 for compute and oslogin)."""
_PERMISSION_DENIED = {
    COMPUTE: "Required 'compute.{noun}s.{verb}' permission for '{resource}'",
    CONTAINER: 'Required "container.{noun}s.{verb}" permission(s) for "{parent}".',
    "iam.googleapis.com": "Permission iam.serviceAccounts.{verb} is required to perform this operation on {parent}.",
}
"""Google's words by service (terraform-provider-google issues, clusterinthecloud #51, pulumi/examples #150); the
other services' are in `_CALLER`."""
_CALLER = "The caller does not have permission"


def number(project: str) -> str:
    """A project's number: always the same for the same id."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11))


def services(data: Mapping[str, Any], project: str, environment: Mapping[str, str] = os.environ) -> set[str]:
    """APIs that are on in a project.

    A project that nobody has changed is "prepared": besides Google's defaults the Compute, Kubernetes Engine and
    Resource Manager APIs are on, as its owner is told to do. With SERVESTACK_SIMULATOR_PROJECTS=new it is as
    Google makes it. One that has a cluster already has the APIs that the cluster needed.

    Raises:
        SimulatorError: The variable is neither "new" nor "prepared".
    """
    known = data["projects"].get(project, {}).get("services")
    if known is not None:
        return set(known)
    kind = environment.get(_VARIABLE, "prepared")
    if kind not in ("new", "prepared"):
        raise SimulatorError(f'{_VARIABLE}={kind}: "new" or "prepared" is needed.')
    has_cluster = any(one.split("/")[1] == project for one in data["clusters"])
    return set(ON_BY_DEFAULT) | (set(_PREPARED) if has_cluster or kind == "prepared" else set())


def turn_on(data: dict[str, Any], project: str, service: str) -> None:
    """Turn an API on, with those that it needs."""
    on = services(data, project)
    todo = [service]
    while todo:
        one = todo.pop()
        on.add(one)
        todo += [needed for needed in _NEEDS.get(one, ()) if needed not in on]
    data["projects"].setdefault(project, {})["services"] = sorted(on)


def turn_off(data: dict[str, Any], project: str, service: str, with_dependents: bool = False) -> None:
    """Turn an API off.

    Raises:
        GoogleApiError: Others that are on need it, in the words of terraform-google-project-factory #168.
    """
    on = services(data, project)
    dependents = [one for one, needed in _NEEDS.items() if service in needed and one in on]
    if dependents and not with_dependents:
        plural = "s" if len(dependents) > 1 else ""
        raise GoogleApiError(
            400,
            f"The service {service} is depended on by the following active service{plural}: {','.join(dependents)}; "
            "Please specify disable_dependent_services=true if you want to proceed with disabling all services.",
            "failedPrecondition",
        )
    for one in dependents:
        turn_off(data, project, one, with_dependents=True)
    data["projects"].setdefault(project, {})["services"] = sorted(services(data, project) - {service})


def check_call(data: Mapping[str, Any], project: str, service: str, noun: str, verb: str, resource: str) -> None:
    """Whether a call of an API is answered.

    Args:
        data: The state.
        project: Whose API it is.
        service: Such as "compute.googleapis.com".
        noun: What is handled, as in permissions: "network".
        verb: What is done, as in permissions: "create".
        resource: The thing, named in full.

    Raises:
        GoogleApiError: The API is off (403, SERVICE_DISABLED), or a fault takes the permission away (403).
    """
    if service not in services(data, project):
        raise GoogleApiError(403, _disabled(project, service), "accessNotConfigured")
    if service in data["faults"].get("permissionDenied", []):
        template = _PERMISSION_DENIED.get(service, _CALLER)
        text = template.format(noun=noun, verb=verb, resource=resource, parent=f"projects/{project}")
        raise GoogleApiError(403, text, "forbidden")


def _disabled(project: str, service: str) -> str:
    """The words of many public runs; the details as in GoogleCloudPlatform/dlp-pdf-redaction #31."""
    title = _TITLES.get(service.removesuffix(".googleapis.com"), service)
    details = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "domain": "googleapis.com",
        "metadata": {"consumer": f"projects/{number(project)}", "service": service},
        "reason": "SERVICE_DISABLED",
    }
    return (
        f"{title} has not been used in project {number(project)} before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{service}/overview?project={number(project)} then retry. If "
        "you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.\n"
        f"Details:\n{json.dumps([details], indent=2)}\n"
    )
