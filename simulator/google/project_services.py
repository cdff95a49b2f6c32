"""APIs of a project as resources.

Source: magic-modules resource_google_project_service.go. An API that nobody has: "not found or permission denied",
the words of GAM #536.
"""

from __future__ import annotations

from simulator.google import projects
from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.resource_type import Pattern, Request, ResourceType

SERVICE = "gcp:projects/service:Service"
_USAGE = "serviceusage.googleapis.com"


def _service_exists(request: Request) -> None:
    service = str(request.inputs["service"])
    if not service.endswith(".googleapis.com"):
        text = f"Not found or permission denied for service(s): {service}."
        raise GoogleApiError(403, text, "forbidden")


def _turn_on(request: Request) -> None:
    projects.turn_on(request.data, request.project, str(request.inputs["service"]))


def _is_on(request: Request) -> bool:
    project, _, service = request.identifier.partition("/")
    return service in projects.services(request.data, project)


def _turn_off(request: Request) -> None:
    """Only with disableOnDestroy; by default the API stays on."""
    if request.inputs.get("disableOnDestroy"):
        dependents = bool(request.inputs.get("disableDependentServices"))
        projects.turn_off(request.data, request.project, str(request.inputs["service"]), dependents)


def _is_unused(request: Request) -> None:
    """With checkIfServiceHasUsageOnDestroy an API with resources stays on (the wording is from memory)."""
    service = str(request.inputs["service"])
    if not (request.inputs.get("disableOnDestroy") and request.inputs.get("checkIfServiceHasUsageOnDestroy")):
        return
    used = any(
        name.startswith(f"//{service}/") and record["project"] == request.project
        for name, record in request.data["resources"].items()
    )
    clusters = any(one.split("/")[1] == request.project for one in request.data["clusters"])
    if used or (clusters and service in (projects.CONTAINER, projects.COMPUTE)):
        text = (
            f"[COMMON_SU_SERVICE_HAS_USAGE] The service {service} has been used in the last 30 days. Please specify "
            "check_if_service_has_usage_on_destroy=false if you want to proceed with disabling the service."
        )
        raise GoogleApiError(400, text, "failedPrecondition")


def _words(verb: str, request: Request, error: GoogleError) -> str:
    service, project = request.inputs["service"], request.project
    if verb == "create":
        return (
            f'Batch "project/{project}/services:batchEnable" for request "Enable '
            f'Project Services {project}: map[{service}:{{}}]" returned error: failed to send enable services request: '
            f"{error}"
        )
    if verb == "delete":
        disabling = f'Error disabling service "{service}" for project "{project}": {error}'
        return f"Error when reading or editing Project Service {request.identifier}: {disabling}"
    return f"Error when reading or editing Project Service {request.identifier}: {error}"


TYPES = (
    ResourceType(
        token=SERVICE,
        sdk="projects.ServiceArgs",
        noun="Project Service",
        service=_USAGE,
        identifier="{project}/{service}",
        force_new=("project", "service"),
        computed=("deletionPolicy", "project"),
        unknown=("project",),
        name="",
        patterns=(Pattern("service", r".*\..*", "expected {value} to be a domain like serviceusage.googleapis.com"),),
        create_rules=(_service_exists,),
        delete_rules=(_is_unused,),
        found=_is_on,
        effect=_turn_on,
        after_delete=_turn_off,
        wrap=_words,
    ),
)
