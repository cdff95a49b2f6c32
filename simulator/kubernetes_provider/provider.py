"""The gRPC service: turns requests of the engine into calls of this package, and errors into answers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import Final

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc
from typing_extensions import override

from simulator.kubernetes_provider.answering import answering
from simulator.kubernetes_provider.check import CheckRequest, check
from simulator.kubernetes_provider.config_diff import check_config, diff_config
from simulator.kubernetes_provider.configuration import configure
from simulator.kubernetes_provider.create import CreateRequest, create
from simulator.kubernetes_provider.delete import DeleteRequest, delete
from simulator.kubernetes_provider.diff import diff
from simulator.kubernetes_provider.engine_log import EngineLog
from simulator.kubernetes_provider.errors import UnimplementedError
from simulator.kubernetes_provider.invoke import invoke
from simulator.kubernetes_provider.kinds import Urn
from simulator.kubernetes_provider.names import Autonaming
from simulator.kubernetes_provider.properties import from_struct, to_object, to_struct
from simulator.kubernetes_provider.read import ReadRequest, read
from simulator.kubernetes_provider.session import Session
from simulator.kubernetes_provider.state import read_checkpoint
from simulator.kubernetes_provider.update import UpdateRequest, update

VERSION: Final = "4.34.2"
"""The version of the Python SDK that the stand-in answers; the engine warns about an older plugin."""

_SCHEMA: Final = '{"name":"kubernetes","version":"4.34.2","resources":{}}'
_SESSIONS_KEPT: Final = 64
_HELM_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_KINDS: Final = {
    ("add", False): provider_pb2.PropertyDiff.ADD,
    ("add", True): provider_pb2.PropertyDiff.ADD_REPLACE,
    ("delete", False): provider_pb2.PropertyDiff.DELETE,
    ("delete", True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    ("update", False): provider_pb2.PropertyDiff.UPDATE,
    ("update", True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


class KubernetesProvider(provider_pb2_grpc.ResourceProviderServicer):
    """Stands in for the official plugin `pulumi-resource-kubernetes`.

    Every Provider resource of a program has its own connection; the peer's address tells them apart. Handshake is
    left unimplemented, as in the official plugin, so that the engine takes the flags of Configure.
    """

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def _session(self, context: grpc.ServicerContext, *, renew: bool = False, engine: str = "") -> Session:
        peer = context.peer()
        with self._lock:
            session = self._sessions.get(peer)
            if session is None or renew:
                session = Session(EngineLog(engine))
                self._sessions[peer] = session
                self._forget_oldest(but=peer)
            self._sessions.move_to_end(peer)
            return session

    def _forget_oldest(self, but: str) -> None:
        idle = [peer for peer, session in self._sessions.items() if not session.calls and peer != but]
        for peer in idle[: max(0, len(self._sessions) - _SESSIONS_KEPT)]:
            self._sessions.pop(peer).engine.close()

    def _call(self, context: grpc.ServicerContext) -> AbstractContextManager[Session]:
        return self._session(context).call(context.add_callback)

    @override
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Starts a session; the address is the engine's, for log messages."""
        self._session(context, renew=True, engine=request.address)
        return empty_pb2.Empty()

    @override
    def GetPluginInfo(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tells the version."""
        return plugin_pb2.PluginInfo(version=VERSION)

    @override
    def GetSchema(
        self, request: provider_pb2.GetSchemaRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetSchemaResponse:
        """Answers a schema without resources: programs with a typed SDK need none."""
        return provider_pb2.GetSchemaResponse(schema=_SCHEMA)

    @override
    def GetMapping(
        self, request: provider_pb2.GetMappingRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingResponse:
        """Answers no mapping: conversion from Terraform is not imitated."""
        return provider_pb2.GetMappingResponse()

    @override
    def GetMappings(
        self, request: provider_pb2.GetMappingsRequest, context: grpc.ServicerContext
    ) -> provider_pb2.GetMappingsResponse:
        """Answers no mapping."""
        return provider_pb2.GetMappingsResponse()

    @override
    def Cancel(self, request: empty_pb2.Empty, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Ends the waits of this session."""
        self._session(context).cancel()
        return empty_pb2.Empty()

    @override
    def CheckConfig(
        self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext
    ) -> provider_pb2.CheckResponse:
        """Checks provider arguments and returns them untouched."""
        with answering(context):
            news = to_object(from_struct(request.news))
            name = Urn(request.urn).name
            failures = check_config(news, is_default=name.startswith("default"))
            return provider_pb2.CheckResponse(
                inputs=request.news,
                failures=[
                    provider_pb2.CheckFailure(property=failure.key, reason=failure.reason) for failure in failures
                ],
            )

    @override
    def DiffConfig(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Says which changed provider arguments mean another cluster."""
        with answering(context):
            difference = diff_config(to_object(from_struct(request.olds)), to_object(from_struct(request.news)))
            some = provider_pb2.DiffResponse.DIFF_SOME
            return provider_pb2.DiffResponse(
                changes=some if difference.changed else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=difference.changed,
                replaces=difference.replaces,
            )

    @override
    def Configure(
        self, request: provider_pb2.ConfigureRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConfigureResponse:
        """Connects to the cluster; that it cannot be reached shows only when it is needed."""
        with answering(context):
            self._session(context).configuration = configure(dict(request.variables))
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, supports_autonaming_configuration=True
            )

    @override
    def Invoke(self, request: provider_pb2.InvokeRequest, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        """Runs a function of the provider."""
        with answering(context):
            answer = invoke(request.tok, to_object(from_struct(request.args)))
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(to_struct(answer))
            return response

    @override
    def Call(self, request: provider_pb2.CallRequest, context: grpc.ServicerContext) -> provider_pb2.CallResponse:
        """Refused, as by the official provider."""
        with answering(context):
            raise UnimplementedError("Call is not yet implemented")

    @override
    def Construct(
        self, request: provider_pb2.ConstructRequest, context: grpc.ServicerContext
    ) -> provider_pb2.ConstructResponse:
        """Refused: the component resources are not imitated."""
        with answering(context):
            raise UnimplementedError(
                f"{request.type} is not imitated by the simulator's Kubernetes provider; use one resource per "
                "object, or install the official plugin with `pulumi plugin install resource kubernetes`"
            )

    @override
    def Check(self, request: provider_pb2.CheckRequest, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Names and normalises inputs."""
        with answering(context):
            _refuse_helm(request.urn)
            checked = check(
                self._session(context),
                CheckRequest(
                    urn=Urn(request.urn),
                    olds=from_struct(request.olds),
                    news=from_struct(request.news),
                    seed=request.randomSeed,
                    autonaming=_autonaming(request),
                ),
            )
            return provider_pb2.CheckResponse(
                inputs=to_struct(checked.inputs),
                failures=[provider_pb2.CheckFailure(reason=reason) for reason in checked.failures],
            )

    @override
    def Diff(self, request: provider_pb2.DiffRequest, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compares new inputs with the state."""
        with answering(context):
            found = diff(
                self._session(context),
                Urn(request.urn),
                read_checkpoint(from_struct(request.olds)),
                to_object(from_struct(request.news)),
                list(request.ignoreChanges),
            )
            some = provider_pb2.DiffResponse.DIFF_SOME
            return provider_pb2.DiffResponse(
                changes=some if found.changed else provider_pb2.DiffResponse.DIFF_NONE,
                replaces=found.replaces,
                deleteBeforeReplace=found.delete_before_replace,
                detailedDiff={
                    path: provider_pb2.PropertyDiff(
                        kind=_KINDS[(change.kind, change.replaces)], inputDiff=change.kind == "delete"
                    )
                    for path, change in found.changes.items()
                },
                hasDetailedDiff=True,
            )

    @override
    def Create(self, request: provider_pb2.CreateRequest, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        """Creates an object and waits for it."""
        with answering(context), self._call(context) as session:
            made = create(
                session,
                CreateRequest(Urn(request.urn), from_struct(request.properties), request.timeout, request.preview),
            )
            return provider_pb2.CreateResponse(id=made.identifier, properties=to_struct(made.properties))

    @override
    def Read(self, request: provider_pb2.ReadRequest, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Reads an object."""
        with answering(context), self._call(context) as session:
            found = read(
                session,
                ReadRequest(Urn(request.urn), request.id, from_struct(request.properties), from_struct(request.inputs)),
            )
            if not found.identifier:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=found.identifier,
                properties=to_struct(found.properties),
                inputs=to_struct(found.inputs),
            )

    @override
    def Update(self, request: provider_pb2.UpdateRequest, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        """Updates an object and waits for it."""
        with answering(context), self._call(context) as session:
            state = update(
                session,
                UpdateRequest(
                    urn=Urn(request.urn),
                    old=read_checkpoint(from_struct(request.olds)),
                    news=from_struct(request.news),
                    timeout_seconds=request.timeout,
                    preview=request.preview,
                    ignored=list(request.ignoreChanges),
                ),
            )
            return provider_pb2.UpdateResponse(properties=to_struct(state))

    @override
    def Delete(self, request: provider_pb2.DeleteRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:
        """Deletes an object and waits until it is gone."""
        with answering(context), self._call(context) as session:
            properties = from_struct(request.properties)
            delete(
                session,
                DeleteRequest(
                    urn=Urn(request.urn),
                    identifier=request.id,
                    old=read_checkpoint(properties),
                    properties=properties,
                    timeout_seconds=request.timeout,
                ),
            )
            return empty_pb2.Empty()


def _autonaming(request: provider_pb2.CheckRequest) -> Autonaming | None:
    if not request.HasField("autonaming"):
        return None
    disabled = request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
    return Autonaming(request.autonaming.proposed_name, disabled)


def _refuse_helm(urn: str) -> None:
    if _HELM_RELEASE in urn:
        raise UnimplementedError(
            f"{_HELM_RELEASE} is not imitated by the simulator's Kubernetes provider; render the chart to YAML "
            "first, or install the official plugin with `pulumi plugin install resource kubernetes`"
        )
