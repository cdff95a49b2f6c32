"""Which awaiter an object gets. Official behaviour: await/awaiters.go and metadata.ReadyCondition."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.await_deployment import DeploymentAwaiter
from simulator.kubernetes_provider.await_ingress import IngressAwaiter
from simulator.kubernetes_provider.await_service import ServiceAwaiter
from simulator.kubernetes_provider.await_simple import (
    ClaimAwaiter,
    JobAwaiter,
    PodAwaiter,
    QuotaAwaiter,
    ReplicationControllerAwaiter,
    StatusAwaiter,
    TokenSecretAwaiter,
    VolumeAwaiter,
)
from simulator.kubernetes_provider.await_stateful_set import StatefulSetAwaiter
from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest, check_now, wait
from simulator.kubernetes_provider.engine_log import INFO
from simulator.kubernetes_provider.properties import Object
from simulator.kubernetes_provider.wait_for import WaitForAwaiter, parse


class _Entry(NamedTuple):
    """How a kind is awaited: its awaiter, whether refresh checks it too, a timeout that nothing overrides."""

    make: Callable[[AwaitRequest], Awaiter]
    read_check: bool = False
    fixed_timeout_seconds: float | None = None


_BUILT_IN: Final[dict[tuple[str, str], _Entry]] = {
    ("apps/v1", "DaemonSet"): _Entry(StatusAwaiter, read_check=True),
    ("apps/v1", "Deployment"): _Entry(DeploymentAwaiter, read_check=True),
    ("apps/v1", "StatefulSet"): _Entry(StatefulSetAwaiter, read_check=True),
    ("batch/v1", "Job"): _Entry(JobAwaiter, read_check=True),
    ("networking.k8s.io/v1", "Ingress"): _Entry(IngressAwaiter, read_check=True),
    ("v1", "PersistentVolume"): _Entry(VolumeAwaiter, fixed_timeout_seconds=300.0),
    ("v1", "PersistentVolumeClaim"): _Entry(ClaimAwaiter, fixed_timeout_seconds=300.0),
    ("v1", "Pod"): _Entry(PodAwaiter, read_check=True),
    ("v1", "ReplicationController"): _Entry(ReplicationControllerAwaiter),
    ("v1", "ResourceQuota"): _Entry(QuotaAwaiter, fixed_timeout_seconds=60.0),
    ("v1", "Secret"): _Entry(TokenSecretAwaiter, fixed_timeout_seconds=5.0),
    ("v1", "Service"): _Entry(ServiceAwaiter, read_check=True),
}

_SHORT_DELETES: Final = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)


def _entry(obj: Object) -> _Entry | None:
    return _BUILT_IN.get((str(obj.get("apiVersion")), str(obj.get("kind"))))


def await_ready(request: AwaitRequest, inputs: Object) -> Object:
    """Waits until an object is ready; returns its last known live form.

    Precedence: skipAwait, then waitFor (read from the live object), then the built-in logic of the kind, then
    nothing, or kstatus where PULUMI_K8S_AWAIT_ALL is `true`.

    Raises:
        AwaitError: it did not become ready.
        ProviderError: a malformed waitFor; the object exists, but the state will not know it.
    """
    if annotation.is_true(inputs, annotation.SKIP_AWAIT):
        request.log.status(INFO, "Skipping await logic")
        return request.live
    wait_for = annotation.value_of(request.live, annotation.WAIT_FOR)
    entry = _entry(request.live)
    if wait_for:
        awaiter: Awaiter = WaitForAwaiter(request, parse(wait_for))
    elif entry is not None:
        if entry.fixed_timeout_seconds is not None:
            request = replace(request, timeout_seconds=entry.fixed_timeout_seconds)
        awaiter = entry.make(request)
        if isinstance(awaiter, TokenSecretAwaiter) and awaiter.ready():
            return request.live
    elif os.environ.get("PULUMI_K8S_AWAIT_ALL") == "true":
        awaiter = StatusAwaiter(request)
    else:
        return request.live
    wait(awaiter)
    return awaiter.live


def read_check(request: AwaitRequest, inputs: Object) -> None:
    """Checks a refreshed object; waitFor is not consulted (await.go Read).

    Raises:
        AwaitError: it is not ready.
    """
    entry = _entry(request.live)
    if entry is None or not entry.read_check or annotation.is_true(inputs, annotation.SKIP_AWAIT):
        return
    check_now(entry.make(request))


def skips_delete_wait(inputs: Object) -> bool:
    """Whether a delete returns before the object is gone: skipAwait, for some kinds only (await.go Deletion)."""
    return inputs.get("kind") in _SHORT_DELETES and annotation.is_true(inputs, annotation.SKIP_AWAIT)
