"""Mistakes that leave an endpoint unwatched, each with the one rule that it breaks; and watchers that break none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.unit.policy_case import Case, policy, put

NAME = "kubernetes.io/metadata.name"


def monitor(case: Case) -> Any:
    return case.one("PodMonitoring")["spec"]


def readers(case: Case) -> Any:
    return policy(case)["ingress"][1]


def prometheus(namespace: str) -> Callable[[Case], object]:
    """The same endpoint watched by the Prometheus of an operator."""

    def change(case: Case) -> None:
        case.plan = dataclasses.replace(case.plan, watch=dataclasses.replace(case.plan.watch, namespace="monitoring"))
        spec = {"selector": monitor(case)["selector"], "podMetricsEndpoints": [{"port": "metrics"}]}
        case.drop("PodMonitoring")
        case.add("PodMonitor", spec=spec)
        readers(case)["from"] = [
            {
                "namespaceSelector": {"matchLabels": {NAME: namespace}},
                "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
            }
        ]

    return change


WATCHING_MISTAKES: dict[str, tuple[str, Callable[[Case], object]]] = {
    "nothing watches": ("metrics-read", lambda case: case.drop("PodMonitoring")),
    "watched elsewhere": (
        "metrics-read",
        put(lambda case: case.one("PodMonitoring")["metadata"], "namespace", "other"),
    ),
    "others are watched": (
        "metrics-read",
        put(lambda case: monitor(case)["selector"]["matchLabels"], "app.kubernetes.io/instance", "other"),
    ),
    "a port that is not there": ("metrics-read", put(lambda case: monitor(case)["endpoints"][0], "port", 9090)),
    "the callers' port is watched": ("metrics-read", put(lambda case: monitor(case)["endpoints"][0], "port", 8090)),
    "no reader is admitted": ("metrics-read", lambda case: policy(case)["ingress"].pop(1)),
    "another reader is admitted": (
        "metrics-read",
        put(readers, "from", [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "collector"}}}]),
    ),
    "readers of another port": ("metrics-read", put(lambda case: readers(case)["ports"][0], "port", 8092)),
    "a Prometheus of another namespace": ("metrics-read", prometheus("default")),
}
WATCHING_ALLOWED: dict[str, Callable[[Case], object]] = {
    "watched at the port's name": put(lambda case: monitor(case)["endpoints"][0], "port", "metrics"),
    "watched by the operator's Prometheus": prometheus("monitoring"),
}
