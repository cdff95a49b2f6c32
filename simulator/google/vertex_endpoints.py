"""Vertex AI endpoints with a deployed model of Model Garden.

Sources: magic-modules mmv1/products/vertexai/EndpointWithModelGardenDeployment.yaml with its post_create, custom_update
(pull request 18116) and custom_delete templates. Hence its limits: a refresh asks Google nothing, there is no import,
all but the numbers of replicas and the autoscaling metrics replaces it, a failed operation leaves the endpoint and the
model, a deletion leaves the model, and fails where the endpoint is gone. Forms of ids: public runs of `gcloud ai
model-garden models deploy`. An endpoint that is not there: python-genai #1706; two models: the words of Google's JSON
parser for a oneof.

Not simulated: which models Model Garden has (only the form of a name is checked), licences, quotas, answers.
"""

from __future__ import annotations

import re
import secrets
import uuid

from simulator.google import machine_types, unmanaged
from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.places import REGIONS
from simulator.google.projects import number
from simulator.google.resource_type import Request, ResourceType, key
from simulator.google.vertex_machines import check_machine, check_replicas
from simulator.google.wire import Properties

ENDPOINT = "gcp:vertex/aiEndpointWithModelGardenDeployment:AiEndpointWithModelGardenDeployment"
VERTEX = "aiplatform.googleapis.com"
_PUBLISHER_MODEL = re.compile(r"publishers/([^/@]+)/models/([^/@]+)@([^/@]+)")
_HUGGING_FACE_MODEL = re.compile(r"[\w.-]+/[\w.-]+")
_RESOURCES = "deployConfig.dedicatedResources"
_IN_PLACE = tuple(
    f"{_RESOURCES}.{name}"
    for name in ("autoscalingMetricSpecs", "maxReplicaCount", "minReplicaCount", "requiredReplicaCount")
)


def _replaces(path: str, _old: object, _new: object) -> bool:
    return not any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in _IN_PLACE)


def _model_name(request: Request) -> str:
    """The last part of the model's name: "gemma-4-31b-it"."""
    given = request.inputs.get("publisherModelName") or request.inputs.get("huggingFaceModelId") or ""
    return re.split("[/@]", str(given))[-1]


def _assigned(request: Request) -> Properties:
    """Ids, and the name of the deployed model where none is given (no source for the latter)."""
    given = (request.inputs.get("modelConfig") or {}).get("modelDisplayName")
    return {
        "number": number(request.project),
        "endpoint": f"mg-endpoint-{uuid.uuid4()}",
        "model": _nineteen_digits(),
        "deployedModelId": _nineteen_digits(),
        "deployedModelDisplayName": given or _model_name(request),
    }


def _nineteen_digits() -> str:
    return str(10**18 + secrets.randbelow(8 * 10**18))


def _check_model(request: Request) -> None:
    """Exactly one model, in one of its forms (no source for the wording of none, or of a wrong form)."""
    publisher, hugging_face = request.inputs.get("publisherModelName"), request.inputs.get("huggingFaceModelId")
    if publisher and hugging_face:
        text = "Invalid value (oneof), oneof field 'artifacts' is already set. Cannot set 'huggingFaceModelId'"
        raise GoogleApiError(400, text)
    if not publisher and not hugging_face:
        raise GoogleApiError(400, "One of publisher_model_name and hugging_face_model_id is required.")
    if publisher and not _PUBLISHER_MODEL.fullmatch(str(publisher)):
        raise GoogleApiError(400, f"Invalid publisher model name: {publisher}.")
    if hugging_face and not _HUGGING_FACE_MODEL.fullmatch(str(hugging_face)):
        raise GoogleApiError(400, f"Invalid Hugging Face model ID: {hugging_face}.")


def _check_place(request: Request) -> None:
    """No source for the wording."""
    location = str(request.inputs["location"])
    if location not in REGIONS:
        raise GoogleApiError(400, f"Unsupported region for Vertex AI: {location}.")
    resources = (request.inputs.get("deployConfig") or {}).get("dedicatedResources")
    if resources:
        check_machine(machine_types.load(), location, resources["machineSpec"])


def _check_replicas(request: Request) -> None:
    resources = (request.inputs.get("deployConfig") or {}).get("dedicatedResources")
    if resources:
        check_replicas(resources)


def _upload(request: Request) -> None:
    """The model is in the Model Registry from now on, whatever becomes of its endpoint."""
    parent = request.identifier.partition("/endpoints/")[0]
    name = key(VERTEX, f"{parent}/models/{request.made['model']}")
    details = {"endpoint": request.identifier, "displayName": request.made["deployedModelDisplayName"]}
    unmanaged.leave(request.data, name, unmanaged.MODEL, request.project, **details)


def _half(request: Request) -> None:
    """The engine is told nothing of the endpoint; the operation may even go on and deploy the model."""
    _upload(request)
    unmanaged.leave(request.data, key(VERTEX, request.identifier), unmanaged.ENDPOINT, request.project)


def _is_deployed(request: Request) -> None:
    """The model to undeploy is the one that the engine knows (no source for the wording)."""
    known = str(request.state.get("deployedModelId") or "")
    if not known:
        raise GoogleApiError(400, "deployed_model_id is required.")
    if known != request.made["deployedModelId"]:
        raise GoogleApiError(404, f"DeployedModel `{known}` not found.")


def _gone(request: Request) -> GoogleError:
    return GoogleApiError(404, f"Endpoint `{request.identifier}` not found.")


def _words(verb: str, _request: Request, error: GoogleError) -> str:
    return f"Error undeploying model from EndpointWithModelGardenDeployment: {error}" if verb == "delete" else ""


TYPES = (
    ResourceType(
        token=ENDPOINT,
        sdk="vertex.AiEndpointWithModelGardenDeploymentArgs",
        noun="EndpointWithModelGardenDeployment",
        service=VERTEX,
        identifier="projects/{number}/locations/{location}/endpoints/{endpoint}",
        force_new=(
            "deployConfig",
            "endpointConfig",
            "huggingFaceModelId",
            "location",
            "modelConfig",
            "project",
            "publisherModelName",
        ),
        computed=("deletionPolicy", "project"),
        unknown=("deployedModelDisplayName", "deployedModelId", "endpoint", "project"),
        name="",
        unread="google_vertex_ai_endpoint_with_model_garden_deployment",
        assigned=_assigned,
        outputs=lambda request: {
            name: request.made.get(name) for name in ("deployedModelDisplayName", "deployedModelId", "endpoint")
        },
        create_rules=(_check_model, _check_place),
        change_rules=(_check_replicas,),
        delete_rules=(_is_deployed,),
        effect=_upload,
        half_made=_half,
        replaces=_replaces,
        gone=_gone,
        wrap=_words,
        timeouts={"create": 10800.0, "update": 1200.0, "delete": 1200.0},
    ),
)
