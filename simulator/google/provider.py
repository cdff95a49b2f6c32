"""The stand-in for the official Pulumi `gcp` provider: the gRPC service that the engine talks to."""

from __future__ import annotations

import json
import threading
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from simulator.google import data_sources, schema
from simulator.google.answers import attempt, one_error, refuse
from simulator.google.check import check
from simulator.google.cloud import Cloud
from simulator.google.cluster_resource import TAINTED, ClusterResource
from simulator.google.diff import Change, changes
from simulator.google.errors import GoogleError
from simulator.google.expectation import as_given, merged, planned
from simulator.google.named_resource import PROVIDER_ONLY, NamedResource
from simulator.google.node_pool_resource import NodePoolResource
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.resources import Resource
from simulator.google.wire import Properties, from_struct, sealed, to_struct

VERSION = "10.2.0"
"""The version of the official provider that this stands in for."""
_Kinds = provider_pb2.PropertyDiff
_DIFF_KINDS = {
    ("add", False): _Kinds.ADD,
    ("add", True): _Kinds.ADD_REPLACE,
    ("delete", False): _Kinds.DELETE,
    ("delete", True): _Kinds.DELETE_REPLACE,
    ("update", False): _Kinds.UPDATE,
    ("update", True): _Kinds.UPDATE_REPLACE,
}


class GcpProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Serves any number of provider resources at once; each has its own connection and configuration."""

    def __init__(self, cloud: Cloud) -> None:
        """Serve a simulated cloud.

        Args:
            cloud: Where things are made.
        """
        self._cloud = cloud
        self._resources: dict[str, Resource] = {
            schema.CLUSTER: ClusterResource(cloud),
            schema.NODE_POOL: NodePoolResource(cloud),
            **{token: NamedResource(cloud.state, kind) for token, kind in RESOURCE_TYPES.items()},
        }
        self._configurations: dict[str, Properties] = {}
        self._latest: Properties = {}
        self._keep_secrets: set[str] = set()
        self._cancellations: dict[str, threading.Event] = {}

    def Attach(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002, D102
        self._cancellations[context.peer()] = threading.Event()
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        """End the waits of this engine only: officially each engine has a plugin process of its own."""
        self._cancelled(context).set()
        return empty_pb2.Empty()

    def _cancelled(self, context: grpc.ServicerContext) -> threading.Event:
        return self._cancellations.setdefault(context.peer(), threading.Event())

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:  # noqa: N802, ARG002, D102
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.GetSchemaResponse:  # noqa: N802, ARG002, D102
        return provider_pb2.GetSchemaResponse(schema=json.dumps({"name": "gcp", "version": VERSION, "resources": {}}))

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> NoReturn:  # noqa: N802, ARG002
        """Not offered: the engine then takes the flags of Configure's answer."""
        context.abort(grpc.StatusCode.UNIMPLEMENTED, "Handshake is not offered")
        raise AssertionError("abort does not return")

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802, ARG002
        """Refuse configuration that the provider does not have."""
        _, name = _token_and_name(request.urn)
        failures = [
            provider_pb2.CheckFailure(reason=f"could not validate provider configuration: {failure.text(name)}")
            for failure in schema.configuration_failures(from_struct(request.news))
        ]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802, ARG002
        """Any change of configuration is applied in place; it never replaces what the provider made."""
        olds, news = from_struct(request.olds), from_struct(request.news)
        changed = sorted(key for key in olds.keys() | news.keys() if olds.get(key) != news.get(key))
        kind = provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(changes=kind, diffs=changed)

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:  # noqa: N802, D102
        configuration = from_struct(request.args)
        for key, value in request.variables.items():
            configuration.setdefault(key.split(":")[-1], value)
        self._configurations[context.peer()] = self._latest = configuration
        if request.acceptSecrets:
            self._keep_secrets.add(context.peer())
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:  # noqa: N802
        """Refuse inputs whose form is wrong, and give the resource a name when it has none."""
        token, name = _token_and_name(request.urn)
        if schema.resource_kind(token) is None:
            refuse(context, _unknown_resource(token, "Check"))
        inputs, found = check(token, name, from_struct(request.olds), from_struct(request.news), request.randomSeed)
        failures = [provider_pb2.CheckFailure(reason=failure.text(name)) for failure in found]
        return provider_pb2.CheckResponse(inputs=to_struct(inputs), failures=failures)

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:  # noqa: N802, ARG002
        """Compare the state with the new inputs; see `simulator.google.diff`."""
        token, _ = _token_and_name(request.urn)
        state, inputs = from_struct(request.olds), from_struct(request.news)
        found = changes(token, state, from_struct(request.old_inputs), inputs, list(request.ignoreChanges))
        replaces = _unique(change.top for change in found if change.replaces)
        if state.get(TAINTED):
            replaces = replaces or ["name"]
        kind = provider_pb2.DiffResponse.DIFF_SOME if found or replaces else provider_pb2.DiffResponse.DIFF_NONE
        return provider_pb2.DiffResponse(
            changes=kind,
            diffs=_unique(change.top for change in found),
            replaces=replaces,
            deleteBeforeReplace=bool(replaces) and _keeps_name(token, state, inputs),
            detailedDiff={change.path: _property_diff(change) for change in found},
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:  # noqa: N802
        """Create a resource; a preview asks Google nothing."""
        token, _ = _token_and_name(request.urn)
        resource = self._resource(token, "Create", context)
        inputs = from_struct(request.properties)
        if request.preview:
            expected = self._sealed(token, planned(resource.computed, inputs), context)
            return provider_pb2.CreateResponse(id="", properties=to_struct(expected))
        outputs = attempt(
            context,
            f"creating {request.urn}",
            lambda: resource.create(
                inputs,
                self._configuration(context),
                request.timeout or resource.timeouts["create"],
                self._cancelled(context),
            ),
        )
        sealed_outputs = self._sealed(token, outputs, context)
        return provider_pb2.CreateResponse(id=outputs["id"], properties=to_struct(sealed_outputs))

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:  # noqa: N802
        """Refresh or import a resource; an empty id says that it is gone."""
        token, _ = _token_and_name(request.urn)
        resource = self._resource(token, "Read", context)
        kind = RESOURCE_TYPES.get(token)
        if kind and kind.unread:
            if not request.properties.fields:
                refuse(context, one_error(f"resource {kind.unread} doesn't support import"))
            return provider_pb2.ReadResponse(id=request.id, properties=request.properties, inputs=request.inputs)
        config = self._configuration(context)
        found = attempt(context, f"refreshing {request.urn}", lambda: resource.read(request.id, config))
        if found is None:
            return provider_pb2.ReadResponse(id="")
        outputs, made_with = found
        state, inputs = from_struct(request.properties), from_struct(request.inputs)
        # What only the provider knows is kept: Google has no such settings.
        outputs |= {key: state[key] for key in PROVIDER_ONLY if key in state}
        if kind and not inputs:
            outputs = {key: value for key, value in outputs.items() if key not in kind.not_imported}
            made_with = {key: value for key, value in made_with.items() if key not in kind.not_imported}
        live = as_given(outputs, inputs) if inputs else made_with | {"__defaults": []}
        return provider_pb2.ReadResponse(
            id=outputs["id"],
            properties=to_struct(self._sealed(token, outputs, context)),
            inputs=to_struct(self._sealed(token, live, context)),
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:  # noqa: N802
        """Change a resource in place."""
        token, _ = _token_and_name(request.urn)
        resource = self._resource(token, "Update", context)
        inputs, state = from_struct(request.news), from_struct(request.olds)
        if request.preview:
            expected = self._sealed(token, merged(state, inputs), context)
            return provider_pb2.UpdateResponse(properties=to_struct(expected))
        outputs = attempt(
            context,
            f"updating {request.urn}",
            lambda: resource.update(
                request.id,
                inputs,
                self._configuration(context),
                request.timeout or resource.timeouts["update"],
                self._cancelled(context),
            ),
            kept=(request.id, self._sealed(token, state, context)),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(self._sealed(token, outputs, context)))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802
        """Delete a resource."""
        token, _ = _token_and_name(request.urn)
        resource = self._resource(token, "Delete", context)
        state = from_struct(request.properties)
        timeout = request.timeout or resource.timeouts["delete"]
        attempt(
            context,
            f"deleting {request.urn}",
            lambda: resource.delete(request.id, state, self._configuration(context), timeout, self._cancelled(context)),
        )
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:  # noqa: N802
        """Call a function such as getCluster."""
        arguments = from_struct(request.args)
        config = self._configuration(context)
        if request.tok not in data_sources.known_functions():
            known = ", ".join(data_sources.known_functions())
            refuse(context, f"unrecognized data function (Invoke): {request.tok}. Simulated: {known}")
        try:
            result = data_sources.call(self._cloud, request.tok, arguments, config)
        except GoogleError as error:
            refuse(context, f"invoking {request.tok}: {one_error(str(error))}")
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(to_struct(result))
        return answer

    def _sealed(self, token: str, properties: Properties, context: grpc.ServicerContext) -> Properties:
        """With secrets marked as such, for an engine that said that it understands them."""
        kind = RESOURCE_TYPES.get(token)
        return sealed(properties, kind.secrets) if kind and context.peer() in self._keep_secrets else properties

    def _configuration(self, context: grpc.ServicerContext) -> Properties:
        """That of the caller's connection; requests carry nothing else to tell provider resources apart."""
        return self._configurations.get(context.peer(), self._latest)

    def _resource(self, token: str, method: str, context: grpc.ServicerContext) -> Resource:
        if token not in self._resources:
            refuse(context, _unknown_resource(token, method))
        return self._resources[token]


def _token_and_name(urn: str) -> tuple[str, str]:
    """Type and name of a resource: urn:pulumi:STACK::PROJECT::PARENT$TYPE::NAME."""
    parts = urn.split("::")
    return parts[2].split("$")[-1], "::".join(parts[3:])


def _unknown_resource(token: str, method: str) -> str:
    known = ", ".join(schema.known_resources())
    return f"unrecognized resource type ({method}): {token}. The simulated Google Cloud has {known}."


def _keeps_name(token: str, state: Properties, inputs: Properties) -> bool:
    """A resource whose name the user chose must go before its replacement comes."""
    name = RESOURCE_TYPES[token].name if token in RESOURCE_TYPES else "name"
    return bool(name) and name not in (inputs.get("__defaults") or []) and state.get(name) == inputs.get(name)


def _property_diff(change: Change) -> provider_pb2.PropertyDiff:
    return provider_pb2.PropertyDiff(kind=_DIFF_KINDS[change.action, change.replaces], inputDiff=False)


def _unique(values: Any) -> list[str]:
    return list(dict.fromkeys(values))
