"""Which Kubernetes objects an endpoint has: one line per template, in the order in which objects are made."""

from __future__ import annotations

from collections.abc import Callable

from infra.frameworks.base import KubernetesWorkload

Wanted = Callable[[KubernetesWorkload], bool]


def _always(_workload: KubernetesWorkload) -> bool:
    return True


# What others need first. A name is that of a template: a kind, and after a hyphen what this one is for.
OBJECTS: tuple[tuple[str, Wanted], ...] = (
    ("namespace", _always),
    ("priorityclass", _always),
    ("serviceaccount", _always),
    ("networkpolicy", _always),
    ("configmap", _always),
    ("configmap-proxy", _always),
    ("deployment", _always),
    ("service", _always),
    ("poddisruptionbudget", _always),
)


def templates(workload: KubernetesWorkload) -> tuple[str, ...]:
    """Names of the templates of one endpoint, in the order in which its objects are made."""
    return tuple(name for name, wanted in OBJECTS if wanted(workload))
