"""Which Kubernetes objects an endpoint has: one line per template, in the order in which objects are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from infra.frameworks.base import KubernetesWorkload
from infra.frameworks.callers import CallerWorkload
from infra.plan.watching import MANAGED, OPERATOR

Wanted = Callable[[KubernetesWorkload], bool]


def _always(_workload: KubernetesWorkload) -> bool:
    return True


def _watched_by(*kinds: str) -> Wanted:
    return lambda workload: workload.monitor.kind in kinds


def _on_one_machine(workload: KubernetesWorkload) -> bool:
    return workload.plan.accelerator.nodes == 1


def _on_several_machines(workload: KubernetesWorkload) -> bool:
    return workload.plan.accelerator.nodes > 1


def _configured(workload: KubernetesWorkload) -> bool:
    return bool(workload.config)


def _picked(workload: KubernetesWorkload) -> bool:
    return workload.picker is not None


def _by_google(workload: KubernetesWorkload) -> bool:
    gateway = workload.plan.exposure.gateway
    return gateway is not None and gateway.proxies is None


def _by_proxies(workload: KubernetesWorkload) -> bool:
    gateway = workload.plan.exposure.gateway
    return gateway is not None and gateway.proxies is not None


def _own_gateway(workload: KubernetesWorkload) -> bool:
    gateway = workload.plan.exposure.gateway
    return gateway is not None and gateway.gateway_class is not None


def _scaled_by(kind: str) -> Wanted:
    return lambda workload: workload.autoscaler is not None and workload.autoscaler.kind == kind


def _classed(workload: KubernetesWorkload) -> bool:
    return workload.compute_class is not None


def _may_have_none(workload: KubernetesWorkload) -> bool:
    return bool(workload.waking)


def _synced(workload: KubernetesWorkload) -> bool:
    return bool(workload.synced)


# What others need first. A name is that of a template: a kind, and after a hyphen what this one is for.
OBJECTS: tuple[tuple[str, Wanted], ...] = (
    ("namespace", _always),
    ("priorityclass", _always),
    ("computeclass", _classed),
    ("serviceaccount", _always),
    ("secretproviderclass", _synced),
    ("secretsync", _synced),
    ("networkpolicy", _always),
    ("configmap", _always),
    ("configmap-proxy", _always),
    ("configmap-engine", _configured),
    ("deployment", _on_one_machine),
    ("leaderworkerset", _on_several_machines),
    ("service", _always),
    ("poddisruptionbudget", _always),
    ("podmonitoring", _watched_by(MANAGED)),
    ("rules", _watched_by(MANAGED)),
    ("podmonitor", _watched_by(OPERATOR)),
    ("prometheusrule", _watched_by(OPERATOR)),
    ("configmap-dashboard", _watched_by(MANAGED, OPERATOR)),
    ("serviceaccount-picker", _picked),
    ("role-picker", _picked),
    ("rolebinding-picker", _picked),
    ("networkpolicy-picker", _picked),
    ("configmap-picker", _picked),
    ("deployment-picker", _picked),
    ("service-picker", _picked),
    ("healthcheckpolicy-picker", _picked),
    ("inferencepool", _picked),
    ("healthcheckpolicy", _by_google),
    ("gcpbackendpolicy", _by_google),
    ("gateway", _own_gateway),
    ("httproute", _by_google),
    ("httproute-shared", _by_proxies),
    ("horizontalpodautoscaler", _scaled_by("hpa")),
    ("service-wake", _may_have_none),
    ("interceptorroute", _may_have_none),
    ("scaledobject", _scaled_by("keda")),
)


# Of an endpoint that Google runs: what its callers need on a cluster.
CALLER_OBJECTS: tuple[str, ...] = (
    "namespace",
    "serviceaccount",
    "secretproviderclass",
    "secretsync",
    "networkpolicy-callers",
    "configmap",
)

# Of a job.
JOB_OBJECTS: tuple[str, ...] = ("namespace", "serviceaccount", "networkpolicy-job", "configmap-script", "job")

# Templates that are rendered once for each of several things, which they see as `each`.
_REPEATED: dict[str, Callable[[KubernetesWorkload | CallerWorkload], Sequence[Any]]] = {
    "secretproviderclass": lambda workload: workload.synced,
    "secretsync": lambda workload: workload.synced,
}


def rendered(workload: KubernetesWorkload) -> tuple[tuple[str, Any], ...]:
    """Templates of one endpoint with what each is rendered for, or None, in the order in which objects are made."""
    return tuple(
        (name, each)
        for name, wanted in OBJECTS
        if wanted(workload)
        for each in (_REPEATED[name](workload) if name in _REPEATED else (None,))
    )


def rendered_for_callers(workload: CallerWorkload) -> tuple[tuple[str, Any], ...]:
    """The same for what the callers of an endpoint need that Google runs."""
    return tuple(
        (name, each)
        for name in CALLER_OBJECTS
        for each in (_REPEATED[name](workload) if name in _REPEATED else (None,))
    )


def templates(workload: KubernetesWorkload) -> tuple[str, ...]:
    """Names of the templates of one endpoint, one for each of its objects."""
    return tuple(name for name, _ in rendered(workload))
