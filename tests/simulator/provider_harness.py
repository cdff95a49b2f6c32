"""Drives the Kubernetes provider stand-in over gRPC, as the engine does, and records what it says."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from simulator.kubernetes_provider.properties import from_struct, to_struct

Properties = dict[str, Any]


def urn_of(api_version: str, kind: str, name: str = "x") -> str:
    module = api_version if "/" in api_version else f"core/{api_version}"
    return f"urn:pulumi:stack::project::kubernetes:{module}:{kind}::{name}"


class ProviderCallError(Exception):
    """A refused call; `reasons` and `properties` are there where it failed partially."""

    def __init__(self, error: grpc.RpcError) -> None:
        super().__init__(error.details())
        self.code = error.code()
        self.reasons: list[str] = []
        self.properties: Properties = {}
        self.inputs: Properties = {}
        self.identifier = ""
        for key, value in error.trailing_metadata() or ():
            if key != "grpc-status-details-bin":
                continue
            status = status_pb2.Status.FromString(value)
            detail = provider_pb2.ErrorResourceInitFailed()
            if status.details and status.details[0].Unpack(detail):
                self.reasons = list(detail.reasons)
                self.properties = from_struct(detail.properties)
                self.inputs = from_struct(detail.inputs)
                self.identifier = detail.id

    @property
    def partial(self) -> bool:
        return bool(self.reasons)


class RecordingEngine(engine_pb2_grpc.EngineServicer):
    """The engine's log service."""

    def __init__(self) -> None:
        self.records: list[engine_pb2.LogRequest] = []
        self._lock = threading.Lock()

    def Log(self, request: engine_pb2.LogRequest, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: N802, ARG002
        with self._lock:
            self.records.append(request)
        return empty_pb2.Empty()


@dataclass
class Resource:
    """A resource as the engine keeps it."""

    urn: str
    identifier: str
    inputs: Properties
    state: Properties


@dataclass
class Engine:
    """What the engine does with a provider, one call per method."""

    stub: provider_pb2_grpc.ResourceProviderStub
    recording: RecordingEngine
    target: str
    hang_up: Callable[[], None] = lambda: None
    seed: bytes = field(default_factory=lambda: os.urandom(8))

    def statuses(self) -> list[str]:
        return [record.message for record in self.recording.records if record.ephemeral and record.message]

    def diagnostics(self) -> list[str]:
        return [record.message for record in self.recording.records if not record.ephemeral]

    def configure(self, **arguments: str) -> None:
        variables = {f"kubernetes:config:{key}": value for key, value in arguments.items()}
        self.stub.Configure(provider_pb2.ConfigureRequest(variables=variables, acceptSecrets=True))

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self.stub, method)(request)
        except grpc.RpcError as error:
            raise ProviderCallError(error) from None

    def check(self, urn: str, news: Properties, olds: Properties | None = None) -> Properties:
        answer = self._call(
            "Check",
            provider_pb2.CheckRequest(
                urn=urn, news=to_struct(news), olds=to_struct(olds) if olds else None, randomSeed=self.seed
            ),
        )
        assert not answer.failures, answer.failures
        return from_struct(answer.inputs)

    def diff(
        self, old: Resource, news: Properties, ignore_changes: list[str] | None = None
    ) -> provider_pb2.DiffResponse:
        return self._call(
            "Diff",
            provider_pb2.DiffRequest(
                urn=old.urn,
                id=old.identifier,
                olds=to_struct(old.state),
                old_inputs=to_struct(old.inputs),
                news=to_struct(news),
                ignoreChanges=ignore_changes or [],
            ),
        )

    def create(
        self, obj: Properties, *, preview: bool = False, timeout: float = 20, urn: str = "", checked: bool = False
    ) -> Resource:
        urn = urn or urn_of(obj["apiVersion"], obj["kind"])
        inputs = obj if checked else self.check(urn, obj)
        request = provider_pb2.CreateRequest(urn=urn, properties=to_struct(inputs), timeout=timeout, preview=preview)
        answer = self._call("Create", request)
        return Resource(urn, answer.id, inputs, from_struct(answer.properties))

    def update(
        self,
        old: Resource,
        obj: Properties,
        *,
        preview: bool = False,
        timeout: float = 20,
        ignore_changes: list[str] | None = None,
    ) -> Resource:
        inputs = self.check(old.urn, obj, old.inputs)
        answer = self._call(
            "Update",
            provider_pb2.UpdateRequest(
                urn=old.urn,
                id=old.identifier,
                olds=to_struct(old.state),
                old_inputs=to_struct(old.inputs),
                news=to_struct(inputs),
                preview=preview,
                timeout=timeout,
                ignoreChanges=ignore_changes or [],
            ),
        )
        return Resource(old.urn, old.identifier, inputs, from_struct(answer.properties))

    def read(self, old: Resource) -> Resource:
        answer = self._call(
            "Read",
            provider_pb2.ReadRequest(
                urn=old.urn,
                id=old.identifier,
                properties=to_struct(old.state),
                inputs=to_struct(old.inputs),
            ),
        )
        return Resource(old.urn, answer.id, from_struct(answer.inputs), from_struct(answer.properties))

    def delete(self, old: Resource, *, timeout: float = 20) -> None:
        self._call(
            "Delete",
            provider_pb2.DeleteRequest(
                urn=old.urn,
                id=old.identifier,
                properties=to_struct(old.state),
                old_inputs=to_struct(old.inputs),
                timeout=timeout,
            ),
        )

    def cancel(self) -> None:
        self.stub.Cancel(empty_pb2.Empty())
