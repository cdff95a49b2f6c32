"""Messages to the engine: permanent diagnostics and ephemeral status texts."""

from __future__ import annotations

import threading
from typing import Final

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

INFO: Final = engine_pb2.INFO
WARNING: Final = engine_pb2.WARNING
ERROR: Final = engine_pb2.ERROR


class EngineLog:
    """The engine's log service, at the address that Attach gave. Thread-safe; errors are swallowed."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address) if address else None
        self._stub = engine_pb2_grpc.EngineStub(self._channel) if self._channel else None

    def send(self, severity: engine_pb2.LogSeverity.ValueType, urn: str, message: str, ephemeral: bool) -> None:
        """Sends one message; a failing engine connection is no reason to fail a resource."""
        if self._stub is None:
            return
        request = engine_pb2.LogRequest(severity=severity, message=message, urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=10)
        except grpc.RpcError:
            return

    def close(self) -> None:
        """Closes the connection to the engine."""
        if self._channel is not None:
            self._channel.close()


class OperationLog:
    """The log of one operation on one resource.

    Official behaviour: logging/dedup_logger.go: each severity and text is sent once per operation.
    """

    def __init__(self, engine: EngineLog, urn: str) -> None:
        self._engine = engine
        self._urn = urn
        self._sent: set[tuple[engine_pb2.LogSeverity.ValueType, str]] = set()
        self._lock = threading.Lock()

    def _first(self, severity: engine_pb2.LogSeverity.ValueType, message: str) -> bool:
        with self._lock:
            known = (severity, message) in self._sent
            self._sent.add((severity, message))
            return not known

    def status(self, severity: engine_pb2.LogSeverity.ValueType, message: str) -> None:
        """Shows a text in the Info column while the operation runs."""
        if self._first(severity, message):
            self._engine.send(severity, self._urn, message, ephemeral=True)

    def log(self, severity: engine_pb2.LogSeverity.ValueType, message: str) -> None:
        """Adds a text to the Diagnostics section."""
        if self._first(severity, message):
            self._engine.send(severity, self._urn, message, ephemeral=False)

    def clear_status(self) -> None:
        """Empties the Info column (await.go clearStatus)."""
        self._engine.send(INFO, self._urn, "", ephemeral=True)
