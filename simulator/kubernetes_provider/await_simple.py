"""Waits for kinds that need no more than their own object: DaemonSet, Job, Pod, claims, volumes, quotas."""

from __future__ import annotations

from typing import Final

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest, is_owned_by
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.errors import ApiError, AwaitError
from simulator.kubernetes_provider.informer import DELETED, Event, Watched
from simulator.kubernetes_provider.kstatus import progress
from simulator.kubernetes_provider.pod_check import pod_is_ready, pod_stages, pod_warnings

_CONDITION_TIMEOUT: Final = "timed out waiting for the condition"
_FINAL_JOB_FAILURES: Final = frozenset({"BackoffLimitExceeded", "DeadlineExceeded"})


class OwnObjectAwaiter(Awaiter):
    """Follows only the object itself."""

    @override
    def handle(self, event: Event) -> None:
        if self.is_own(event) and event.type != DELETED:
            self.live = event.object
            self._update()

    def _update(self) -> None:
        """Called with each new version of the object."""


class StatusAwaiter(OwnObjectAwaiter):
    """Ready when kstatus says so. Official behaviour: await/daemonset.go, condition/ready.go."""

    timeout_text = _CONDITION_TIMEOUT
    cancelled_text = "context canceled"

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._seen = False

    @override
    def _update(self) -> None:
        self._seen = True

    @override
    def ready(self) -> bool:
        if not self._seen:
            return False
        current, message = progress(self.live)
        self.log.status(INFO, f"✅ {message}" if current else message)
        return current


class JobAwaiter(Awaiter):
    """Ready when complete; a final failure ends the wait. Official behaviour: await/job.go.

    As in the official code, the timeout starts again at every event in the namespace.
    """

    rearms = True

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._complete = False
        self._messages: list[str] = []

    @override
    def watched(self) -> list[Watched]:
        return [Watched("batch/v1", "Job", self.namespace), Watched("v1", "Pod", self.namespace)]

    @override
    def handle(self, event: Event) -> None:
        if event.source == "Pod":
            if event.type != DELETED and is_owned_by(event.object, self.live):
                for text in pod_warnings(event.object):
                    self._remember(text)
                    if "containers with unready status" not in text:
                        self.log.status(WARNING, text)
            return
        if not self.is_own(event) or event.type == DELETED:
            return
        self.live = event.object
        status = event.object.get("status") or {}
        if not status.get("startTime"):
            self.log.status(INFO, f'Waiting for Job "{self._full_name()}" to start')
            return
        for condition in status.get("conditions") or []:
            if condition.get("status") != "True":
                continue
            if condition.get("type") == "Complete":
                self._complete = True
                return
            if condition.get("type") == "Failed":
                text = f"[{condition.get('reason')}] {condition.get('message')}"
                self._messages.insert(0, text)
                self.log.status(WARNING, text)
                if condition.get("reason") in _FINAL_JOB_FAILURES:
                    message = f"Resource '{self.name}' was created but failed to initialize"
                    raise AwaitError(message, self.live, self.sub_errors())
        counts = " | ".join(f"{label}: {status.get(label.lower()) or 0}" for label in ("Active", "Succeeded", "Failed"))
        self.log.status(INFO, f'Waiting for Job "{self._full_name()}" to succeed ({counts})')

    def _full_name(self) -> str:
        return self.name if self.namespace in ("", "default") else f"{self.namespace}/{self.name}"

    def _remember(self, text: str) -> None:
        if text not in self._messages:
            self._messages.append(text)

    @override
    def ready(self) -> bool:
        return self._complete

    @override
    def sub_errors(self) -> list[str]:
        return list(self._messages)


class PodAwaiter(OwnObjectAwaiter):
    """Ready when scheduled, initialized and ready. Official behaviour: await/pod.go.

    As in the official code, the timeout starts again at every event in the namespace.
    """

    rearms = True

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._seen = False

    @override
    def _update(self) -> None:
        self._seen = True
        for stage in pod_stages(self.live):
            self.log.status(INFO, stage.description)

    @override
    def ready(self) -> bool:
        return self._seen and pod_is_ready(self.live)

    @override
    def sub_errors(self) -> list[str]:
        return pod_warnings(self.live)


class PhaseAwaiter(OwnObjectAwaiter):
    """Ready in one of some phases. Official behaviour: awaiters.go, with its fixed timeouts."""

    phases: frozenset[str] = frozenset()
    timeout_text = "Timeout occurred polling for '{name}'"

    @override
    def ready(self) -> bool:
        return (self.live.get("status") or {}).get("phase") in self.phases


class VolumeAwaiter(PhaseAwaiter):
    """PersistentVolume: available or bound."""

    phases = frozenset({"Available", "Bound"})


class ClaimAwaiter(PhaseAwaiter):
    """PersistentVolumeClaim: bound; or pending after a create where its class waits for a consumer."""

    phases = frozenset({"Bound"})

    def __init__(self, request: AwaitRequest) -> None:
        super().__init__(request)
        self._waits_for_consumer = request.previous is None and self._class_waits()

    def _class_waits(self) -> bool:
        name = (self.live.get("spec") or {}).get("storageClassName")
        path = "/apis/storage.k8s.io/v1/storageclasses"
        try:
            if name:
                found = self.request.cluster.request("GET", f"{path}/{name}")
            else:
                return False
        except ApiError:
            self.log.status(WARNING, f'no storage class found for "{self.name}"')
            return False
        return bool(found.get("volumeBindingMode") == "WaitForFirstConsumer")

    @override
    def ready(self) -> bool:
        pending = (self.live.get("status") or {}).get("phase") == "Pending"
        return super().ready() or (pending and self._waits_for_consumer)


class QuotaAwaiter(PhaseAwaiter):
    """ResourceQuota: its hard limits are in the status."""

    @override
    def ready(self) -> bool:
        wanted = (self.live.get("spec") or {}).get("hard") or {}
        return wanted == ((self.live.get("status") or {}).get("hard") or {})


class ReplicationControllerAwaiter(PhaseAwaiter):
    """ReplicationController: all replicas are ready."""

    @override
    def ready(self) -> bool:
        wanted = (self.live.get("spec") or {}).get("replicas") or 0
        status = self.live.get("status") or {}
        return bool((status.get("availableReplicas") or 0) >= wanted)


class TokenSecretAwaiter(PhaseAwaiter):
    """Secret: one for a service account token has its token after at most 5 s."""

    @override
    def ready(self) -> bool:
        if self.live.get("type") != "kubernetes.io/service-account-token":
            return True
        return bool((self.live.get("data") or {}).get("token"))
