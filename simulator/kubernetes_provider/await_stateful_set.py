"""Waits for a StatefulSet. Official behaviour: await/statefulset.go."""

from __future__ import annotations

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest, is_owned_by
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.informer import DELETED, Event, Watched
from simulator.kubernetes_provider.names import metadata_text
from simulator.kubernetes_provider.pod_check import pod_warnings
from simulator.kubernetes_provider.properties import Object


class StatefulSetAwaiter(Awaiter):
    """Ready when all replicas are current and ready, and the update revision is the current one."""

    tick_seconds = 10.0

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._generation = 0
        self._replicas_ready = False
        self._revision_ready = False
        self._current_replicas = 0
        self._target_replicas = 0
        self._current_revision = ""
        self._target_revision = ""
        self._pods: dict[str, Object] = {}

    @override
    def watched(self) -> list[Watched]:
        return [Watched("apps/v1", "StatefulSet", self.namespace), Watched("v1", "Pod", self.namespace)]

    @override
    def handle(self, event: Event) -> None:
        if event.source == "Pod":
            if is_owned_by(event.object, self.live):
                name = metadata_text(event.object, "name")
                if event.type == DELETED:
                    self._pods.pop(name, None)
                else:
                    self._pods[name] = event.object
            return
        self._replicas_ready = self._revision_ready = False
        if self.is_own(event) and event.type != DELETED:
            self._stateful_set(event.object)

    def _stateful_set(self, obj: Object) -> None:
        self.live = obj
        self._generation = (obj.get("metadata") or {}).get("generation") or 0
        spec, status = obj.get("spec") or {}, obj.get("status") or {}
        observed = status.get("observedGeneration") == self._generation
        self._current_revision = str(status.get("currentRevision") or "")
        self._target_revision = str(status.get("updateRevision") or "")
        wanted = spec.get("replicas") or 0
        present, ready = status.get("replicas") or 0, status.get("readyReplicas") or 0
        strategy = (spec.get("updateStrategy") or {}).get("type")
        if self._generation > 1 and strategy == "OnDelete":
            self._revision_ready = True
            self._replicas_ready = wanted == present == ready
        else:
            self._revision_ready = self._current_revision not in ("",) and (
                self._current_revision == self._target_revision
            )
            self._replicas_ready = wanted == present == ready == (status.get("currentReplicas") or 0)
        self._target_replicas = wanted
        updated = status.get("updatedReplicas") or 0
        self._current_replicas = ready if self._revision_ready else min(ready, updated)
        self._replicas_ready = self._replicas_ready and observed
        self._revision_ready = self._revision_ready and observed

    def _pod_warnings(self) -> list[str]:
        return [text for pod in self._pods.values() for text in pod_warnings(pod)]

    @override
    def tick(self) -> None:
        for text in self._pod_warnings():
            self.log.status(WARNING, text)

    @override
    def ready(self) -> bool:
        if self._replicas_ready and self._revision_ready:
            self.log.status(INFO, "✅ StatefulSet initialization complete")
            return True
        counts = f"({self._current_replicas}/{self._target_replicas} Pods ready)"
        if self._generation <= 1:
            self.log.status(INFO, f"[1/2] Waiting for StatefulSet to create Pods {counts}")
        elif not self._replicas_ready:
            self.log.status(INFO, f"[1/3] Waiting for StatefulSet update to roll out {counts}")
        else:
            self.log.status(INFO, "[2/3] Waiting for StatefulSet to update .status.currentRevision")
        return False

    @override
    def sub_errors(self) -> list[str]:
        messages = []
        if not self._replicas_ready:
            counts = f"{self._current_replicas} out of {self._target_replicas}"
            messages.append(f"{counts} replicas succeeded readiness checks")
        if not self._revision_ready:
            messages.append(
                f'StatefulSet controller failed to advance from revision "{self._current_revision}" '
                f'to revision "{self._target_revision}"'
            )
        return messages + self._pod_warnings()
