"""Waits for a Service. Official behaviour: await/service.go."""

from __future__ import annotations

import time
from typing import Final

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest
from simulator.kubernetes_provider.engine_log import INFO
from simulator.kubernetes_provider.informer import DELETED, Event, Watched
from simulator.kubernetes_provider.names import metadata_text

_SETTLE_SECONDS: Final = 10.0
_NO_PODS = (
    "Service does not target any Pods. Selected Pods may not be ready, or "
    "field '.spec.selector' may not match labels on any Pods"
)
_NO_ADDRESS = "Service was not allocated an IP address; does your cloud provider support this?"


class ServiceAwaiter(Awaiter):
    """Ready when its endpoints have been quiet for 10 s and none of them is not ready.

    A load balancer must also have an address. Headless and external-name Services, and those without a
    selector, are ready at first sight. Pods that are not ready block the Service as long as its timeout.
    """

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._service_ready = False
        self._pending = False
        self._settled = False
        self._settle_at: float | None = None

    @override
    def watched(self) -> list[Watched]:
        return [Watched("v1", "Service", self.namespace), Watched("v1", "Endpoints", self.namespace)]

    @override
    def begin(self) -> None:
        self.log.status(INFO, "[1/3] Finding Pods to direct traffic to")

    @override
    def handle(self, event: Event) -> None:
        if metadata_text(event.object, "name") != self.name:
            return
        if event.source == "Service":
            self._service_ready = False
            if event.type != DELETED:
                self.live = event.object
                balancer = (event.object.get("status") or {}).get("loadBalancer") or {}
                self._service_ready = self._type() != "LoadBalancer" or bool(balancer.get("ingress"))
        else:
            subsets = event.object.get("subsets") or []
            self._pending = event.type == DELETED or any(subset.get("notReadyAddresses") for subset in subsets)
            self._settled = False
            self._settle_at = time.monotonic() + _SETTLE_SECONDS

    def _type(self) -> str:
        return str((self.live.get("spec") or {}).get("type") or "ClusterIP")

    def _waits_for_pods(self) -> bool:
        spec = self.live.get("spec") or {}
        return self._type() != "ExternalName" and spec.get("clusterIP") != "None" and bool(spec.get("selector"))

    @override
    def settle_at(self) -> float | None:
        return None if self._settled else self._settle_at

    @override
    def prepare_read(self) -> None:
        self._settled = True

    @override
    def ready(self) -> bool:
        if not self._waits_for_pods():
            return self._service_ready
        if self._settle_at is not None and time.monotonic() >= self._settle_at:
            self._settled = True
        if self._settled and not self._pending:
            if self._service_ready:
                self.log.status(INFO, "✅ Service initialization complete")
                return True
            self.log.status(INFO, "[2/3] Attempting to allocate IP address to Service")
        return False

    @override
    def ready_at_timeout(self) -> bool:
        return self._service_ready and not self._pending

    @override
    def sub_errors(self) -> list[str]:
        if not self._waits_for_pods():
            return []
        messages = [_NO_PODS] if self._pending else []
        if self._type() == "LoadBalancer" and not self._service_ready:
            messages.append(_NO_ADDRESS)
        return messages
