"""Waits for an Ingress. Official behaviour: await/ingress.go."""

from __future__ import annotations

import time
from typing import Any, Final

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.informer import DELETED, Event, Watched
from simulator.kubernetes_provider.names import metadata_text

_SETTLE_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 60.0
_NO_TARGET = "Ingress has at least one rule with an unavailable target endpoint."
_NO_ADDRESS = (
    "Ingress .status.loadBalancer field was not updated with a hostname/IP address. "
    "\n    for more information about this error, see https://pulumi.io/xdv72s"
)


class IngressAwaiter(Awaiter):
    """Ready when it has an address and every backend Service has endpoints, or the endpoints have settled."""

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._has_address = False
        self._settled = False
        self._settle_at: float | None = None
        self._endpoints: set[str] = set()
        self._external_names: set[str] = set()

    @override
    def watched(self) -> list[Watched]:
        own = Watched(str(self.live.get("apiVersion")), "Ingress", self.namespace)
        return [own, Watched("v1", "Service", self.namespace), Watched("v1", "Endpoints", self.namespace)]

    @override
    def begin(self) -> None:
        self.log.status(INFO, "[1/3] Finding a matching service for each Ingress path")
        self._settle_at = time.monotonic() + _GRACE_SECONDS

    @override
    def handle(self, event: Event) -> None:
        name = metadata_text(event.object, "name")
        if event.source == "Service":
            external = (event.object.get("spec") or {}).get("type") == "ExternalName"
            if event.type != DELETED and external:
                self._external_names.add(name)
            else:
                self._external_names.discard(name)
        elif event.source == "Endpoints":
            (self._endpoints.discard if event.type == DELETED else self._endpoints.add)(name)
            self._settled = False
            self._settle_at = time.monotonic() + _SETTLE_SECONDS
        elif self.is_own(event):
            self._has_address = False
            if event.type != DELETED:
                self.live = event.object
                balancer = (event.object.get("status") or {}).get("loadBalancer") or {}
                self._has_address = bool(balancer.get("ingress"))

    @override
    def settle_at(self) -> float | None:
        return None if self._settled else self._settle_at

    @override
    def prepare_read(self) -> None:
        self._settled = True

    def _backends(self) -> list[tuple[str, str, str]]:
        """Host, path and Service name of every rule that names a Service."""
        found: list[tuple[str, str, str]] = []
        for rule in (self.live.get("spec") or {}).get("rules") or []:
            for path in (rule.get("http") or {}).get("paths") or []:
                backend: dict[str, Any] = path.get("backend") or {}
                service = (backend.get("service") or {}).get("name") or backend.get("serviceName") or ""
                if service:
                    found.append((rule.get("host") or "", path.get("path") or "", service))
        return found

    def _targets_ready(self) -> bool:
        for host, path, service in self._backends():
            if service in self._external_names or service in self._endpoints:
                continue
            if not self._settled:
                return False
            where = f'"{host}{path}"' if host or path else '"" (default path)'
            text = f'No matching service found for ingress rule: {where} -> "{service}"'
            self.log.status(WARNING, text)
        return True

    @override
    def ready(self) -> bool:
        if self._settle_at is not None and time.monotonic() >= self._settle_at:
            self._settled = True
        targets = self._targets_ready()
        if targets and self._has_address:
            self.log.status(INFO, "✅ Ingress initialization complete")
            return True
        if targets:
            self.log.status(INFO, "[2/3] Waiting for update of .status.loadBalancer with hostname/IP")
        return False

    @override
    def ready_at_timeout(self) -> bool:
        return self._targets_ready() and self._has_address

    @override
    def sub_errors(self) -> list[str]:
        messages = [] if self._targets_ready() else [_NO_TARGET]
        return messages if self._has_address else [*messages, _NO_ADDRESS]
