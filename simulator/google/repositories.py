"""Artifact Registry repositories.

Source: magic-modules mmv1/products/artifactregistry/Repository.yaml; a place that is none: terraform-provider-google
#10184.
"""

from __future__ import annotations

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.places import REPOSITORY_PLACES
from simulator.google.resource_type import Request, ResourceType
from simulator.google.wire import Properties

REPOSITORY = "gcp:artifactregistry/repository:Repository"
_SERVICE = "artifactregistry.googleapis.com"
_FORMATS = ("DOCKER", "MAVEN", "NPM", "PYTHON", "APT", "YUM", "KFP", "GO", "GENERIC", "GOOGET", "RUBY")
_SOURCES = ("apt", "docker", "maven", "npm", "python", "yum", "common")
_INVALID = "Request contains an invalid argument."


def _check(request: Request) -> None:
    """Place, format, name and mode must fit.

    A remote repository needs its source and only it has one; for this and the name there is no source for the
    wording.
    """
    location = request.identifier.split("/")[3]
    if location not in REPOSITORY_PLACES or str(request.inputs["format"]).upper() not in _FORMATS:
        raise GoogleApiError(400, _INVALID, "badRequest")
    mode, remote = request.inputs.get("mode", "STANDARD_REPOSITORY"), request.inputs.get("remoteRepositoryConfig")
    if mode == "REMOTE_REPOSITORY" and not remote:
        text = "Invalid repository: remote_repository_config is required for mode REMOTE_REPOSITORY."
        raise GoogleApiError(400, text, "badRequest")
    if mode != "REMOTE_REPOSITORY" and remote:
        text = f"Invalid repository: remote_repository_config is not supported for mode {mode}."
        raise GoogleApiError(400, text, "badRequest")


def _taken(_request: Request) -> GoogleError:
    return GoogleApiError(409, "the repository already exists", "alreadyExists")


def _outputs(request: Request) -> Properties:
    _, project, _, location, _, name = request.identifier.split("/")
    kind = str(request.inputs["format"]).lower()
    return {
        "name": name,
        "createTime": request.made.get("createdAt"),
        "updateTime": request.made.get("updatedAt"),
        "registryUri": f"{location}-{kind}.pkg.dev/{project}/{name}",
        "vulnerabilityScanningConfig": {
            **(request.inputs.get("vulnerabilityScanningConfig") or {}),
            "enablementState": "SCANNING_ACTIVE" if kind == "docker" else "SCANNING_UNSUPPORTED",
        },
    }


TYPES = (
    ResourceType(
        token=REPOSITORY,
        sdk="artifactregistry.RepositoryArgs",
        noun="Repository",
        service=_SERVICE,
        identifier="projects/{project}/locations/{location}/repositories/{repositoryId}",
        force_new=(
            "format",
            "kmsKeyName",
            "location",
            "mavenConfig.allowSnapshotOverwrites",
            "mavenConfig.versionPolicy",
            "mode",
            "project",
            "remoteRepositoryConfig",
            "repositoryId",
        ),
        computed=("deletionPolicy", "location", "project", "vulnerabilityScanningConfig"),
        unknown=(
            "createTime",
            "effectiveLabels",
            "location",
            "name",
            "project",
            "pulumiLabels",
            "registryUri",
            "updateTime",
            "vulnerabilityScanningConfig",
        ),
        name="repositoryId",
        defaults={"mode": "STANDARD_REPOSITORY"},
        caseless=("format",),
        choices={"mode": ("STANDARD_REPOSITORY", "VIRTUAL_REPOSITORY", "REMOTE_REPOSITORY")},
        one_of=(tuple(f"remoteRepositoryConfig.{source}Repository" for source in _SOURCES),),
        conflicts=(("virtualRepositoryConfig", "remoteRepositoryConfig"),),
        labelled=True,
        outputs=_outputs,
        change_rules=(_check,),
        taken=_taken,
    ),
)
