"""Kubernetes objects that the tests of the awaiters create."""

from __future__ import annotations

import threading
from typing import Any

from provider_harness import Engine, ProviderCallError

QUICK = {"simulator.servestack.dev/pull-time": "10ms", "simulator.servestack.dev/load-time": "10ms"}


def pod_template(namespace: str, cpu: str = "1", **annotations: str) -> dict[str, Any]:
    return {
        "metadata": {"labels": {"app": "app"}, "annotations": {**QUICK, **annotations}},
        "spec": {
            "nodeSelector": {"for": namespace},
            "tolerations": [{"key": "for", "operator": "Exists"}],
            "containers": [{"name": "app", "image": "example.com/app:1", "resources": {"requests": {"cpu": cpu}}}],
        },
    }


def workload(kind: str, namespace: str, template: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "app", "namespace": namespace},
        "spec": {"selector": {"matchLabels": {"app": "app"}}, "template": template, **spec},
    }


def in_background(engine: Engine, obj: dict[str, Any], timeout: float = 20) -> tuple[threading.Thread, list[Any]]:
    """Creates an object in a thread; the list then holds the resource or the failure."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(engine.create(obj, timeout=timeout))
        except ProviderCallError as failure:
            outcome.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


def service(namespace: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "app"}, **spec},
    }


def waiting_config_map(namespace: str, wait_for: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "flag",
            "namespace": namespace,
            "annotations": {"pulumi.com/waitFor": wait_for},
        },
        "data": {"phase": "Pending"},
    }
