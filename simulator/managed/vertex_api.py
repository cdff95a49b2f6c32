"""The Vertex AI API: what its Python clients call to deploy from Model Garden and take it away.

v1 and v1beta1, gapic's REST (camelCase, enums as numbers, operations below `/ui/`) and the newer client's (mixed cases,
enums as names, operations below the version): google-cloud-aiplatform 2.7.0.
"""

from __future__ import annotations

import re
from typing import Any

from simulator.managed import model_garden
from simulator.managed.errors import INVALID, MISSING, ApiError
from simulator.managed.google import VERTEX
from simulator.managed.operation import Operation
from simulator.managed.region import Region
from simulator.managed.routing import Request, Route
from simulator.managed.vertex_messages import read, show
from simulator.managed.world import World

_PLACE = r"/(?P<version>ui|v1|v1beta1)/projects/(?P<project>[^/:]+)"
REGION = _PLACE + r"/locations/(?P<location>[^/:]+)"
_ENDPOINT = REGION + r"/endpoints/(?P<id>[^/:]+)"
_OPERATION = r"/operations/(?P<id>[^/:]+)"


def _region(world: World, request: Request) -> Region:
    return world.region(request.place["project"], request.place["location"])


def _deploy(world: World, request: Request) -> Any:
    version = request.place["version"]
    return _shown(_region(world, request).deploy(version, read(version, "DeployRequest", request.body)))


def _undeploy(world: World, request: Request) -> Any:
    version, identity = request.place["version"], request.place["id"]
    asked = read(version, "UndeployModelRequest", request.body)
    return _shown(_region(world, request).undeploy(identity, asked.get("deployedModelId", ""), version))


def _mutate(world: World, request: Request) -> Any:
    version, identity = request.place["version"], request.place["id"]
    asked = read(version, "MutateDeployedModelRequest", request.body)
    if not {"deployedModel", "updateMask"} <= set(asked):
        raise ApiError(INVALID, "deployed_model and update_mask are required.")
    return _shown(_region(world, request).mutate(identity, asked, version))


def _get_endpoint(world: World, request: Request) -> Any:
    return show(request.place["version"], "Endpoint", _region(world, request).endpoint(request.place["id"]))


def _list_endpoints(world: World, request: Request) -> Any:
    version = request.place["version"]
    return {"endpoints": [show(version, "Endpoint", one) for one in _region(world, request).endpoints.values()]}


def _patch_endpoint(world: World, request: Request) -> Any:
    version = request.place["version"]
    there, change = _region(world, request).endpoint(request.place["id"]), read(version, "Endpoint", request.body)
    for name in request.query.get("updateMask", "").split(","):
        if name not in ("displayName", "description", "labels"):
            raise ApiError(INVALID, f"{name!r} cannot be updated.")
        there[name] = change.get(name, {} if name == "labels" else "")
    return show(version, "Endpoint", there)


def _delete_endpoint(world: World, request: Request) -> Any:
    return _shown(_region(world, request).delete_endpoint(request.place["id"], request.place["version"]))


def _get_model(world: World, request: Request) -> Any:
    region = _region(world, request)
    model = region.model(request.place["id"])
    return show(request.place["version"], "Model", model | {"deployedModels": region.deployments(model)})


def _delete_model(world: World, request: Request) -> Any:
    return _shown(_region(world, request).delete_model(request.place["id"], request.place["version"]))


def _get_operation(world: World, request: Request) -> Any:
    operation = _region(world, request).operation(request.place["id"])
    operation.look()
    return _shown(operation)


def _list_operations(world: World, request: Request) -> Any:
    region = _region(world, request)
    listed = [_shown(one) for one in region.operations.values()]
    if world.strange_operations:  # of a service that the client does not know
        metadata = {"@type": "type.googleapis.com/google.cloud.aiplatform.v9.NewOperationMetadata"}
        listed.append({"name": f"{region.parent}/operations/1", "metadata": metadata})
    return {"operations": listed}


def _cancel_operation(world: World, request: Request) -> Any:
    operation = _region(world, request).operation(request.place["id"])
    if not operation.cancellable:
        raise ApiError(12, "Operation is not implemented, or supported, or enabled.")
    operation.done, operation.code, operation.message = True, 1, "The operation was cancelled."
    return {}


def _licence(world: World, request: Request) -> Any:
    project = request.place["project"]
    world.google.check(project, VERTEX)
    world.licence_accepted |= request.route == "eula.accept"
    accepted = world.licence_accepted or not world.licence_asked
    return {"projectNumber": world.google.number(project), "publisherModelEulaAcked": accepted, **(request.body or {})}


def _publisher_model(_world: World, request: Request) -> Any:
    family, _, version = request.place["name"].partition("@")
    if (request.place["publisher"], request.place["name"]) == (model_garden.PUBLISHER, model_garden.SERVERLESS):
        # Public lists of publisher models name it; what else Google says of it was not seen.
        return show(
            request.place["version"], "PublisherModel", {"name": f"publishers/{model_garden.PUBLISHER}/models/{family}"}
        )
    garden = model_garden.load()
    known = version or next(reversed(garden.offers))
    if (request.place["publisher"], family) != (
        model_garden.PUBLISHER,
        model_garden.FAMILY,
    ) or known not in garden.offers:
        raise ApiError(MISSING, f"Publisher Model {request.place['name']} is not found.")
    options = [
        {
            "dedicatedResources": {"machineSpec": offer.machine_spec(), "minReplicaCount": 1},
            "containerSpec": {"imageUri": garden.image},
        }
        for offer in garden.offers[known]
    ]
    full = {
        "name": f"publishers/{model_garden.PUBLISHER}/models/{family}",
        "versionId": known,
        "supportedActions": {"multiDeployVertex": {"multiDeployVertex": options}},
    }
    return show(request.place["version"], "PublisherModel", full)


def _shown(one: Operation) -> dict[str, Any]:
    """An operation as the API tells it; its types are of the version by which it was begun."""
    package = f"type.googleapis.com/google.cloud.aiplatform.{'v1' if one.version == 'v1' else 'v1beta1'}"
    metadata = {"@type": f"{package}.{one.kind}OperationMetadata", **one.metadata}
    shown: dict[str, Any] = {"name": one.name, "metadata": metadata, "done": one.done}
    if one.done and one.code:
        shown["error"] = {"code": one.code, "message": one.message}
    elif one.done:
        empty = {"@type": "type.googleapis.com/google.protobuf.Empty"}
        kind = {"@type": f"{package}.{one.kind}Response", **one.response}
        shown["response"] = empty if one.kind == "Delete" else kind
    return shown


_PUBLISHED = r"/(?P<version>v1|v1beta1)/publishers/(?P<publisher>[^/]+)/models/(?P<name>[^/:]+)"
ROUTES = tuple(
    Route(name, method, re.compile(pattern), answer)
    for name, method, pattern, answer in (
        ("publisher.get", "GET", _PUBLISHED, _publisher_model),
        ("eula.check", "POST", _PLACE + "/modelGardenEula:check", _licence),
        ("eula.accept", "POST", _PLACE + "/modelGardenEula:accept", _licence),
        ("deploy", "POST", REGION + ":deploy", _deploy),
        ("operation.list", "GET", REGION + "/operations", _list_operations),
        ("operation.get", "GET", REGION + r"(?:/endpoints/[^/]+|/models/[^/]+)?" + _OPERATION, _get_operation),
        ("operation.cancel", "POST", REGION + _OPERATION + ":cancel", _cancel_operation),
        ("endpoint.list", "GET", REGION + "/endpoints", _list_endpoints),
        ("endpoint.get", "GET", _ENDPOINT, _get_endpoint),
        ("endpoint.patch", "PATCH", _ENDPOINT, _patch_endpoint),
        ("endpoint.delete", "DELETE", _ENDPOINT, _delete_endpoint),
        ("endpoint.undeploy", "POST", _ENDPOINT + ":undeployModel", _undeploy),
        ("endpoint.mutate", "POST", _ENDPOINT + ":mutateDeployedModel", _mutate),
        ("model.get", "GET", REGION + r"/models/(?P<id>[^/:@]+)(?:@[^/:]*)?", _get_model),
        ("model.delete", "DELETE", REGION + r"/models/(?P<id>[^/:]+)", _delete_model),
    )
)
