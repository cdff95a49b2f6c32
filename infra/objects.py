"""Which Kubernetes objects an endpoint has: one line per template, in the order in which objects are made."""

from __future__ import annotations

from collections.abc import Callable

from infra.frameworks.base import KubernetesWorkload

Wanted = Callable[[KubernetesWorkload], bool]


def _always(_workload: KubernetesWorkload) -> bool:
    return True


def _scaled_by(kind: str) -> Wanted:
    return lambda workload: workload.autoscaler is not None and workload.autoscaler.kind == kind


def _may_have_none(workload: KubernetesWorkload) -> bool:
    return bool(workload.waking)


# What others need first. A name is that of a template: a kind, and after a hyphen what this one is for.
OBJECTS: tuple[tuple[str, Wanted], ...] = (
    ("namespace", _always),
    ("serviceaccount", _always),
    ("networkpolicy", _always),
    ("configmap", _always),
    ("configmap-proxy", _always),
    ("deployment", _always),
    ("service", _always),
    ("poddisruptionbudget", _always),
    ("horizontalpodautoscaler", _scaled_by("hpa")),
    ("service-wake", _may_have_none),
    ("interceptorroute", _may_have_none),
    ("scaledobject", _scaled_by("keda")),
)


def templates(workload: KubernetesWorkload) -> tuple[str, ...]:
    """Names of the templates of one endpoint, in the order in which its objects are made."""
    return tuple(name for name, wanted in OBJECTS if wanted(workload))
