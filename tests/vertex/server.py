"""A Vertex AI API on loopback: the calls that its Python clients make to deploy from Model Garden and take it away.

v1 and v1beta1, gapic's REST (camelCase, enums as numbers, operations below `/ui/`) and the newer client's (mixed cases,
enums as names, operations below the version). Everything that arrives is recorded.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from google.cloud import aiplatform_v1, aiplatform_v1beta1
from google.protobuf import json_format

from tests.vertex.world import MODEL, NUMBER, OFFERED, STATUS, ApiError, Call, Fault, Operation, World

TYPES = {"v1": aiplatform_v1.types, "v1beta1": aiplatform_v1beta1.types, "ui": aiplatform_v1beta1.types}
_PLACE = r"/(?P<version>ui|v1|v1beta1)/projects/(?P<project>[^/:]+)"
_REGION = _PLACE + r"/locations/(?P<location>[^/:]+)"
ROUTES = [
    ("publisher.get", "GET", r"/(?P<version>v1|v1beta1)/publishers/(?P<publisher>[^/]+)/models/(?P<name>[^/]+)"),
    ("eula.check", "POST", _PLACE + "/modelGardenEula:check"),
    ("eula.accept", "POST", _PLACE + "/modelGardenEula:accept"),
    ("deploy", "POST", _REGION + ":deploy"),
    ("operation.list", "GET", _REGION + "/operations"),
    ("operation.get", "GET", _REGION + r"(?:/endpoints/[^/]+|/models/[^/]+)?/operations/(?P<id>[^/:]+)"),
    ("operation.cancel", "POST", _REGION + r"/operations/(?P<id>[^/:]+):cancel"),
    ("endpoint.list", "GET", _REGION + "/endpoints"),
    ("endpoint.get", "GET", _REGION + r"/endpoints/(?P<id>[^/:]+)"),
    ("endpoint.patch", "PATCH", _REGION + r"/endpoints/(?P<id>[^/:]+)"),
    ("endpoint.delete", "DELETE", _REGION + r"/endpoints/(?P<id>[^/:]+)"),
    ("endpoint.undeploy", "POST", _REGION + r"/endpoints/(?P<id>[^/:]+):undeployModel"),
    ("endpoint.mutate", "POST", _REGION + r"/endpoints/(?P<id>[^/:]+):mutateDeployedModel"),
    ("model.get", "GET", _REGION + r"/models/(?P<id>[^/:@]+)(?:@[^/:]*)?"),
    ("model.delete", "DELETE", _REGION + r"/models/(?P<id>[^/:]+)"),
]


def read(version: str, kind: str, body: Any) -> dict[str, Any]:
    """A body as the API reads it, in camelCase with enums as names; refuses fields that the API does not have."""
    message = getattr(TYPES[version], kind)
    parsed = message.pb(message())
    try:
        json_format.ParseDict(body or {}, parsed)
    except json_format.ParseError as error:
        raise ApiError(3, str(error)) from error
    return dict(json_format.MessageToDict(parsed))


def show(version: str, kind: str, state: dict[str, Any]) -> dict[str, Any]:
    """State as one version of the API tells it: without the fields that it lacks."""
    message = getattr(TYPES[version], kind)
    parsed = json_format.ParseDict(state, message.pb(message()), ignore_unknown_fields=True)
    return dict(json_format.MessageToDict(parsed))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world: World

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            super().handle()

    def log_message(self, *_: Any) -> None:
        pass

    def answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), {key: values[0] for key, values in parse_qs(parts.query).items()}
        matches = ((name, re.fullmatch(pattern, path)) for name, method, pattern in ROUTES if method == self.command)
        route, found = next(((name, match) for name, match in matches if match), ("unknown", None))
        with self.world.lock:
            self.world.calls.append(Call(route, self.command, self.path, body, dict(self.headers)))
            fault = self.world.fault(route)
            status, content = (200, {}) if fault and not fault.arrives else self.carry_out(route, found, body, query)
        if fault:
            self.spoil(fault)
            if fault.cut:
                return
            if fault.code:
                status, content = error_answer(fault.code, fault.message)
        self.send(status, content)

    do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

    def spoil(self, fault: Fault) -> None:
        if fault.slow:
            self.world.over.wait(60)
        if fault.cut:
            self.close_connection = True
            self.connection.close()

    def carry_out(self, route: str, found: re.Match[str] | None, body: Any, query: dict[str, str]) -> tuple[int, Any]:
        if found is None:
            return error_answer(5, f"{self.command} {self.path}: no such method")
        place = found.groupdict()
        try:
            return 200, Api(self.world, place, query).carry_out(route, body)
        except ApiError as error:
            return error_answer(error.code, str(error))

    def send(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client did not wait
            self.close_connection = True


def error_answer(code: int, message: str) -> tuple[int, Any]:
    status, name = STATUS[code]
    return status, {"error": {"code": status, "message": message, "status": name}}


class Api:
    """One request's answer."""

    def __init__(self, world: World, place: dict[str, str], query: dict[str, str]) -> None:
        self.world = world
        self.version = place["version"]
        self.parent = f"projects/{NUMBER}/locations/{place.get('location')}"
        self.place = place
        self.query = query

    def carry_out(self, route: str, body: Any) -> Any:
        world, version, parent, identity = self.world, self.version, self.parent, self.place.get("id", "")
        match route:
            case "deploy":
                return self.operation(world.deploy(parent, version, read(version, "DeployRequest", body)))
            case "endpoint.undeploy":
                asked = read(version, "UndeployModelRequest", body)
                return self.operation(world.undeploy(identity, asked["deployedModelId"], parent, version))
            case "endpoint.mutate":
                asked = read(version, "MutateDeployedModelRequest", body)
                return self.operation(world.mutate(identity, asked, parent, version))
            case "endpoint.delete":
                return self.operation(world.delete_endpoint(identity, parent, version))
            case "model.delete":
                return self.operation(world.delete_model(identity, parent, version))
            case "endpoint.get":
                return show(version, "Endpoint", world.of(world.endpoints, identity, "Endpoint"))
            case "endpoint.list":
                return {"endpoints": [show(version, "Endpoint", one) for one in world.endpoints.values()]}
            case "endpoint.patch":
                return self.patch(world.of(world.endpoints, identity, "Endpoint"), read(version, "Endpoint", body))
            case "model.get":
                model = world.of(world.models, identity, "Model")
                return show(version, "Model", model | {"deployedModels": world.deployed(model)})
            case "operation.get":
                operation = self.running(identity)
                world.look(operation)
                return self.operation(operation)
            case "operation.list":
                listed = [self.operation(one) for one in world.operations.values()]
                if world.strange_operations:  # of a service that the client does not know
                    metadata = {"@type": "type.googleapis.com/google.cloud.aiplatform.v9.NewOperationMetadata"}
                    listed.append({"name": f"{parent}/operations/1", "metadata": metadata})
                return {"operations": listed}
            case "operation.cancel":
                operation = self.running(identity)
                if not operation.cancellable:
                    raise ApiError(12, "Operation is not implemented, or supported, or enabled.")
                operation.done, operation.code, operation.message = True, 1, "The operation was cancelled."
                return {}
            case "eula.check" | "eula.accept":
                world.licence_accepted |= route == "eula.accept"
                accepted = world.licence_accepted or not world.licence_asked
                return {"projectNumber": NUMBER, "publisherModelEulaAcked": accepted, **body}
        return self.publisher_model()

    def patch(self, there: dict[str, Any], change: dict[str, Any]) -> Any:
        for name in self.query["updateMask"].split(","):
            there[name] = change.get(name, {})
        return show(self.version, "Endpoint", there)

    def running(self, identity: str) -> Operation:
        if identity not in self.world.operations:
            raise ApiError(5, f"Operation {identity} is not found.")
        return self.world.operations[identity]

    def operation(self, one: Operation) -> dict[str, Any]:
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

    def publisher_model(self) -> Any:
        name, _, version = MODEL.rpartition("/")[2].partition("@")
        if self.place["name"].partition("@")[0] != name:
            raise ApiError(5, f"Publisher Model {self.place['name']} is not found.")
        options = [
            {
                "dedicatedResources": {
                    "machineSpec": {"machineType": machine, "acceleratorType": kind, "acceleratorCount": count},
                    "minReplicaCount": 1,
                },
                "containerSpec": {"imageUri": "us-docker.pkg.dev/vertex-ai/vllm-serve:gemma4"},
            }
            for machine, kind, count in OFFERED
        ]
        full = {
            "name": f"publishers/google/models/{name}",
            "versionId": version,
            "supportedActions": {"multiDeployVertex": {"multiDeployVertex": options}},
        }
        return show(self.version, "PublisherModel", full)


@contextlib.contextmanager
def serve() -> Iterator[tuple[World, str]]:
    """A fresh world and its address."""
    world = World()
    handler: Callable[..., BaseHTTPRequestHandler] = type("Bound", (Handler,), {"world": world})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield world, f"http://127.0.0.1:{server.server_port}"
    finally:
        world.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
