"""What the loopback Vertex server holds, and how it behaves: rules as the API reference states them.

Bodies are read by Google's own message types, so a field that the API does not have is refused, and both spellings of a
name are taken. An operation ends after a number of looks at it: no clock is involved.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

NUMBER = "314159265358"
MODEL = "google/gemma4@gemma-4-31b-it"
OFFERED = (("a3-highgpu-1g", "NVIDIA_H100_80GB", 1), ("g4-standard-48", "NVIDIA_RTX_PRO_6000", 1))

INVALID, PRECONDITION, EXISTS, MISSING = 3, 9, 6, 5
STATUS = {
    1: (499, "CANCELLED"),
    3: (400, "INVALID_ARGUMENT"),
    5: (404, "NOT_FOUND"),
    6: (409, "ALREADY_EXISTS"),
    7: (403, "PERMISSION_DENIED"),
    8: (429, "RESOURCE_EXHAUSTED"),
    9: (400, "FAILED_PRECONDITION"),
    12: (501, "UNIMPLEMENTED"),
    13: (500, "INTERNAL"),
    14: (503, "UNAVAILABLE"),
    16: (401, "UNAUTHENTICATED"),
}


class ApiError(Exception):
    """An answer that is an error; `code` is that of google.rpc.Code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Call:
    """One request that arrived."""

    route: str
    method: str
    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Fault:
    """What happens to the next `times` calls of a route instead of an answer.

    Attributes:
        code: of google.rpc.Code; 0 for none.
        cut: close the connection without an answer.
        slow: hold the answer back until the world's end.
        after: calls of the route that are answered before.
        arrives: whether the call is carried out all the same.
    """

    route: str
    code: int = 0
    message: str = "out of order"
    times: int = 1
    after: int = 0
    cut: bool = False
    slow: bool = False
    arrives: bool = False


@dataclass
class Outcome:
    """How the next deployment goes.

    Attributes:
        looks: looks at the operation until it is done; None for never.
        code: of google.rpc.Code with which it fails; 0 for success.
        cancellable: whether Google obliges when asked to cancel.
    """

    looks: int | None = 2
    code: int = 0
    message: str = "machine type temporarily unavailable"
    cancellable: bool = True


@dataclass
class Operation:
    name: str
    kind: str
    version: str
    looks: int | None
    finish: Callable[[], dict[str, Any]]
    metadata: dict[str, Any] = field(default_factory=dict)
    code: int = 0
    message: str = ""
    done: bool = False
    cancellable: bool = True
    response: dict[str, Any] = field(default_factory=dict)


class World:
    """The state of one region of one project."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self.outcomes: list[Outcome] = []
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, Operation] = {}
        self.licence_asked = False
        self.licence_accepted = False
        self.late_conflict = False
        self.locked_while_deploying = False
        self.strange_operations = False
        self._count = 0

    def made(self) -> dict[str, list[str]]:
        """Ids of what there is."""
        with self.lock:
            return {"endpoints": sorted(self.endpoints), "models": sorted(self.models)}

    def routes(self) -> list[str]:
        with self.lock:
            return [call.route for call in self.calls]

    def fault(self, route: str) -> Fault | None:
        """The fault that a call of a route meets, counted."""
        for one in self.faults:
            if one.route == route and one.times:
                if one.after:
                    one.after -= 1
                    return None
                one.times -= 1
                return one
        return None

    def number(self) -> int:
        self._count += 1
        return self._count

    def begin(
        self, parent: str, kind: str, version: str, finish: Callable[[], dict[str, Any]], **more: Any
    ) -> Operation:
        """Start an operation; unless told otherwise it is done at the second look."""
        identity = str(4_700_000_000_000_000_000 + self.number())
        operation = Operation(f"{parent}/operations/{identity}", kind, version, more.pop("looks", 1), finish, **more)
        self.operations[identity] = operation
        return operation

    def look(self, operation: Operation) -> None:
        """Count a look; the last one ends the operation."""
        if operation.done or operation.looks is None:
            return
        operation.looks -= 1
        if operation.looks < 0:
            self.end(operation)

    def end(self, operation: Operation) -> None:
        operation.done = True
        if not operation.code:
            try:
                operation.response = operation.finish()
            except ApiError as error:
                operation.code, operation.message = error.code, str(error)

    def end_all(self) -> None:
        """Time passes: what runs, and ever ends, ends."""
        with self.lock:
            for operation in self.operations.values():
                if not operation.done and operation.looks is not None:
                    self.end(operation)

    def deploy(self, parent: str, version: str, request: dict[str, Any]) -> Operation:
        """Check as Model Garden does, make Registry entry and endpoint, start to deploy."""
        model_config, endpoint_config = request.get("modelConfig", {}), request.get("endpointConfig", {})
        resources = request.get("deployConfig", {}).get("dedicatedResources", {})
        name = request.get("publisherModelName", "")
        if name != f"publishers/{MODEL.replace('/', '/models/', 1)}":
            raise ApiError(MISSING, f"Publisher Model `{name}` is not found.")
        machine = resources.get("machineSpec", {})
        asked = (machine.get("machineType"), machine.get("acceleratorType"), machine.get("acceleratorCount"))
        if machine and asked not in OFFERED:
            raise ApiError(INVALID, f"Machine type {asked[0]} with {asked[1]} is not supported for this model.")
        if self.licence_asked and not (self.licence_accepted or model_config.get("acceptEula")):
            raise ApiError(PRECONDITION, "The EULA of the model is not accepted.")
        endpoint_id = endpoint_config.get("endpointUserId") or str(8_000_000_000_000_000_000 + self.number())
        model_id = model_config.get("modelUserId") or f"gemma4-{self.number()}"
        taken = [one for one, there in ((endpoint_id, self.endpoints), (model_id, self.models)) if one in there]
        metadata = {"publisherModel": name, "destination": parent, "projectNumber": NUMBER, "modelId": ""}
        if taken:
            said = f"Resource {taken[0]} already exists."
            if not self.late_conflict:
                raise ApiError(EXISTS, said)
            return self.begin(parent, "Deploy", version, dict, code=EXISTS, message=said, metadata=metadata)
        outcome = self.outcomes.pop(0) if self.outcomes else Outcome()
        endpoint, model = f"{parent}/endpoints/{endpoint_id}", f"{parent}/models/{model_id}"
        self.models[model_id] = {
            "name": model,
            "displayName": model_config.get("modelDisplayName", "gemma4"),
            "baseModelSource": {"modelGardenSource": {"publicModelName": name}},
            "containerSpec": model_config.get("containerSpec", {"imageUri": "us-docker.pkg.dev/vllm-serve:gemma4"}),
        }
        dedicated = not endpoint_config.get("dedicatedEndpointDisabled", False)
        region = parent.rpartition("/")[2]
        dns = {"dedicatedEndpointDns": f"{endpoint_id}.{region}-{NUMBER}.prediction.vertexai.goog"} if dedicated else {}
        self.endpoints[endpoint_id] = {
            "name": endpoint,
            "displayName": endpoint_config.get("endpointDisplayName", "gemma4-endpoint"),
            "labels": {},
            "deployedModels": [],
            "createTime": "2026-11-24T12:00:01Z",
            "dedicatedEndpointEnabled": dedicated,
            **dns,
        }

        def finish() -> dict[str, Any]:
            there = self.endpoints.get(endpoint_id)
            if there is None:
                raise ApiError(MISSING, f"Endpoint {endpoint_id} was deleted.")
            there["deployedModels"] = [
                {"id": str(5_000_000_000_000_000_000 + self.number()), "model": model, "dedicatedResources": resources}
            ]
            return {"publisherModel": name, "endpoint": endpoint, "model": model}

        metadata["genericMetadata"] = {"createTime": "2026-11-24T12:00:00Z"}
        return self.begin(parent, "Deploy", version, finish, metadata=metadata, **vars(outcome))

    def of(self, things: dict[str, dict[str, Any]], identity: str, kind: str) -> dict[str, Any]:
        if identity not in things:
            raise ApiError(MISSING, f"The {kind} {identity} does not exist.")
        return things[identity]

    def undeploy(self, endpoint_id: str, deployed_id: str, parent: str, version: str) -> Operation:
        there = self.of(self.endpoints, endpoint_id, "Endpoint")
        if deployed_id not in [one["id"] for one in there["deployedModels"]]:
            raise ApiError(MISSING, f"DeployedModel {deployed_id} is not found.")

        def finish() -> dict[str, Any]:
            there["deployedModels"] = [one for one in there["deployedModels"] if one["id"] != deployed_id]
            return {}

        return self.begin(parent, "UndeployModel", version, finish)

    def mutate(self, endpoint_id: str, body: dict[str, Any], parent: str, version: str) -> Operation:
        there = self.of(self.endpoints, endpoint_id, "Endpoint")
        wanted = body["deployedModel"]
        found = [one for one in there["deployedModels"] if one["id"] == wanted.get("id")]
        if not found:
            raise ApiError(MISSING, f"DeployedModel {wanted.get('id')} is not found.")
        mask = body["updateMask"].split(",")
        allowed = {"minReplicaCount", "maxReplicaCount", "autoscalingMetricSpecs", "requiredReplicaCount"}
        names = [one.removeprefix("dedicatedResources.") for one in mask]
        if set(names) - allowed:
            raise ApiError(INVALID, f"Only {sorted(allowed)} can be mutated.")

        def finish() -> dict[str, Any]:
            for name in names:
                found[0]["dedicatedResources"][name] = wanted["dedicatedResources"].get(name, [])
            return {"deployedModel": found[0]}

        return self.begin(parent, "MutateDeployedModel", version, finish)

    def delete_endpoint(self, endpoint_id: str, parent: str, version: str) -> Operation:
        there = self.of(self.endpoints, endpoint_id, "Endpoint")
        if there["deployedModels"]:
            raise ApiError(PRECONDITION, "The Endpoint still has models deployed to it.")
        deploying = any(one.kind == "Deploy" and not one.done for one in self.operations.values())
        if self.locked_while_deploying and deploying:
            raise ApiError(PRECONDITION, "The Endpoint is being deployed to.")
        return self.begin(parent, "Delete", version, lambda: (self.endpoints.pop(endpoint_id, None), {})[1])

    def delete_model(self, model_id: str, parent: str, version: str) -> Operation:
        there = self.of(self.models, model_id, "Model")
        if self.deployed(there):
            raise ApiError(PRECONDITION, "The Model is deployed to an Endpoint.")
        return self.begin(parent, "Delete", version, lambda: (self.models.pop(model_id, None), {})[1])

    def deployed(self, model: dict[str, Any]) -> list[dict[str, str]]:
        """Where a model serves."""
        return [
            {"endpoint": endpoint["name"], "deployedModelId": one["id"]}
            for endpoint in self.endpoints.values()
            for one in endpoint["deployedModels"]
            if one["model"] == model["name"]
        ]
