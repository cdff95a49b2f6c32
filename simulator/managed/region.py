"""Endpoints, models and operations of one region of one project: rules as the Vertex AI reference states them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from simulator.managed import model_garden
from simulator.managed.errors import EXISTS, INVALID, MISSING, PRECONDITION, ApiError
from simulator.managed.faults import Outcome
from simulator.managed.operation import Operation

if TYPE_CHECKING:
    from simulator.managed.world import World

_MUTABLE = {"minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs", "requiredReplicaCount"}
"""Fields of DedicatedResources that MutateDeployedModelRequest takes."""


class Region:
    """One region.

    Attributes:
        parent: its full name, with the project's number.
        endpoints: by id, as the API tells them.
        models: entries of the Model Registry by id.
        operations: by id.
    """

    def __init__(self, world: World, parent: str) -> None:
        self._world = world
        self.parent = parent
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, Operation] = {}

    @property
    def number(self) -> str:
        """The project's number."""
        return self.parent.split("/")[1]

    @property
    def location(self) -> str:
        """Such as "us-central1"."""
        return self.parent.rpartition("/")[2]

    def endpoint(self, identity: str) -> dict[str, Any]:
        """An endpoint.

        Raises:
            ApiError: there is none.
        """
        return _found(self.endpoints, identity, "Endpoint")

    def model(self, identity: str) -> dict[str, Any]:
        """An entry of the Registry.

        Raises:
            ApiError: there is none.
        """
        return _found(self.models, identity, "Model")

    def operation(self, identity: str) -> Operation:
        """An operation.

        Raises:
            ApiError: there is none.
        """
        if identity not in self.operations:
            raise ApiError(MISSING, f"Operation {identity} is not found.")
        return self.operations[identity]

    def begin(self, kind: str, version: str, finish: Callable[[], dict[str, Any]], **more: Any) -> Operation:
        """Start an operation; unless told otherwise it is done at the second look."""
        identity = str(4_700_000_000_000_000_000 + self._world.count())
        looks = more.pop("looks", 1)
        operation = Operation(f"{self.parent}/operations/{identity}", kind, version, looks, finish, **more)
        self.operations[identity] = operation
        return operation

    def deploy(self, version: str, request: dict[str, Any]) -> Operation:
        """Check as Model Garden does, make Registry entry and endpoint, start to deploy.

        Args:
            version: of the API.
            request: a DeployRequest, in camelCase with enums as names.

        Raises:
            ApiError: model or machine are not offered, the licence is not accepted, or an id is taken.
        """
        world, name = self._world, request.get("publisherModelName", "")
        model_config, endpoint_config = request.get("modelConfig", {}), request.get("endpointConfig", {})
        resources = _resources(name, request.get("deployConfig", {}).get("dedicatedResources", {}))
        if world.licence_asked and not (world.licence_accepted or model_config.get("acceptEula")):
            raise ApiError(PRECONDITION, "The EULA of the model is not accepted.")
        endpoint_id = endpoint_config.get("endpointUserId") or str(8_000_000_000_000_000_000 + world.count())
        model_id = model_config.get("modelUserId") or f"{model_garden.FAMILY}-{world.count()}"
        taken = [one for one, there in ((endpoint_id, self.endpoints), (model_id, self.models)) if one in there]
        metadata = {"publisherModel": name, "destination": self.parent, "projectNumber": self.number, "modelId": ""}
        if taken:
            said = f"Resource {taken[0]} already exists."
            if not world.late_conflict:
                raise ApiError(EXISTS, said)
            return self.begin("Deploy", version, dict, code=EXISTS, message=said, metadata=metadata)
        outcome = world.outcomes.pop(0) if world.outcomes else Outcome()
        endpoint, model = f"{self.parent}/endpoints/{endpoint_id}", f"{self.parent}/models/{model_id}"
        self.models[model_id] = {
            "name": model,
            "displayName": model_config.get("modelDisplayName", model_garden.FAMILY),
            "baseModelSource": {"modelGardenSource": {"publicModelName": name}},
            "containerSpec": model_config.get("containerSpec", {"imageUri": model_garden.load().image}),
        }
        self.endpoints[endpoint_id] = self._new_endpoint(endpoint_id, endpoint_config)

        def finish() -> dict[str, Any]:
            there = self.endpoints.get(endpoint_id)
            if there is None:
                raise ApiError(MISSING, f"Endpoint {endpoint_id} was deleted.")
            deployed = {"id": str(5_000_000_000_000_000_000 + world.count()), "model": model}
            there["deployedModels"] = [deployed | {"dedicatedResources": resources}]
            return {"publisherModel": name, "endpoint": endpoint, "model": model}

        metadata["genericMetadata"] = {"createTime": "2026-11-24T12:00:00Z"}
        return self.begin("Deploy", version, finish, metadata=metadata, **vars(outcome))

    def _new_endpoint(self, identity: str, config: dict[str, Any]) -> dict[str, Any]:
        made = {
            "name": f"{self.parent}/endpoints/{identity}",
            "displayName": config.get("endpointDisplayName", f"{model_garden.FAMILY}-endpoint"),
            "labels": {},
            "deployedModels": [],
            "createTime": "2026-11-24T12:00:01Z",
            "dedicatedEndpointEnabled": not config.get("dedicatedEndpointDisabled", False),
        }
        if made["dedicatedEndpointEnabled"]:
            made["dedicatedEndpointDns"] = f"{identity}.{self.location}-{self.number}.prediction.vertexai.goog"
        return made

    def undeploy(self, endpoint_id: str, deployed_id: str, version: str) -> Operation:
        """Start to take a deployed model off an endpoint.

        Raises:
            ApiError: it is not there.
        """
        there = self.endpoint(endpoint_id)
        _deployed(there, deployed_id)

        def finish() -> dict[str, Any]:
            there["deployedModels"] = [one for one in there["deployedModels"] if one["id"] != deployed_id]
            return {}

        return self.begin("UndeployModel", version, finish)

    def mutate(self, endpoint_id: str, request: dict[str, Any], version: str) -> Operation:
        """Start to change a deployed model in place.

        Raises:
            ApiError: it is not there, or the field cannot be changed.
        """
        wanted = request["deployedModel"]
        found = _deployed(self.endpoint(endpoint_id), wanted.get("id", ""))
        names = [one.removeprefix("dedicatedResources.") for one in request["updateMask"].split(",")]
        if set(names) - _MUTABLE:
            raise ApiError(INVALID, f"Only {sorted(_MUTABLE)} can be mutated.")

        def finish() -> dict[str, Any]:
            for name in names:
                found["dedicatedResources"][name] = wanted.get("dedicatedResources", {}).get(name, [])
            return {"deployedModel": found}

        return self.begin("MutateDeployedModel", version, finish)

    def delete_endpoint(self, identity: str, version: str) -> Operation:
        """Start to delete an endpoint.

        Raises:
            ApiError: it is not there, or still serves.
        """
        if self.endpoint(identity)["deployedModels"]:
            raise ApiError(PRECONDITION, "The Endpoint still has models deployed to it.")
        deploying = any(one.kind == "Deploy" and not one.done for one in self.operations.values())
        if self._world.locked_while_deploying and deploying:
            raise ApiError(PRECONDITION, "The Endpoint is being deployed to.")
        return self.begin("Delete", version, lambda: (self.endpoints.pop(identity, None), {})[1])

    def delete_model(self, identity: str, version: str) -> Operation:
        """Start to delete an entry of the Registry.

        Raises:
            ApiError: it is not there, or is deployed.
        """
        if self.deployments(self.model(identity)):
            raise ApiError(PRECONDITION, "The Model is deployed to an Endpoint.")
        return self.begin("Delete", version, lambda: (self.models.pop(identity, None), {})[1])

    def deployments(self, model: dict[str, Any]) -> list[dict[str, str]]:
        """Where a model serves."""
        return [
            {"endpoint": endpoint["name"], "deployedModelId": one["id"]}
            for endpoint in self.endpoints.values()
            for one in endpoint["deployedModels"]
            if one["model"] == model["name"]
        ]


def _found(things: dict[str, dict[str, Any]], identity: str, kind: str) -> dict[str, Any]:
    if identity not in things:
        raise ApiError(MISSING, f"The {kind} {identity} does not exist.")
    return things[identity]


def _deployed(endpoint: dict[str, Any], identity: str) -> dict[str, Any]:
    models: list[dict[str, Any]] = endpoint["deployedModels"]
    for one in models:
        if one["id"] == identity:
            return one
    raise ApiError(MISSING, f"DeployedModel {identity} is not found.")


def _resources(publisher_model: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What a deployment runs on: as asked, or the first that is offered."""
    garden = model_garden.load()
    version = garden.version_of(publisher_model)
    if version is None:
        raise ApiError(MISSING, f"Publisher Model `{publisher_model}` is not found.")
    machine = asked.get("machineSpec", {})
    if not machine:
        first = garden.offers[version][0]
        return {"minReplicaCount": 1, "maxReplicaCount": 1, **asked, "machineSpec": first.machine_spec()}
    wanted = {name: machine.get(name) for name in garden.offers[version][0].machine_spec()}
    if wanted not in [one.machine_spec() for one in garden.offers[version]]:
        said = f"Machine type {wanted['machineType']} with {wanted['acceleratorType']} is not supported for this model."
        raise ApiError(INVALID, said)
    return asked
