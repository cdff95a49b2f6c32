from __future__ import annotations

from typing import Any

import pytest
from kubernetes import client
from provider_harness import Engine, ProviderCallError
from workloads import in_background, pod_template, service, workload

from simulator.kubernetes_provider import await_service

pytest_plugins = ["provider_fixtures"]


def test_service_without_pods_succeeds_once_its_endpoints_are_quiet(
    engine: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.5)

    engine.create(service(namespace))

    assert engine.statuses() == ["[1/3] Finding Pods to direct traffic to", "✅ Service initialization complete"]


@pytest.mark.usefixtures("node")
def test_service_waits_for_its_pods_and_fails_when_they_stay_unready(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.2)
    skip = {"pulumi.com/skipAwait": "true"}
    deployment = workload(
        "Deployment", namespace, pod_template(namespace, **{"simulator.servestack.dev/load-time": "1h"})
    )
    deployment["metadata"]["annotations"] = skip
    engine.create(deployment)
    quiet = service(namespace)
    quiet["metadata"]["annotations"] = skip
    made = engine.create(quiet)

    def has_unready_address() -> bool:
        endpoints = client.CoreV1Api(api).list_namespaced_endpoints(namespace).items
        return any(subset.not_ready_addresses for item in endpoints for subset in item.subsets or [])

    until(has_unready_address)
    with pytest.raises(ProviderCallError) as failure:
        engine.update(made, service(namespace), timeout=1)

    assert failure.value.reasons[1:] == [
        "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match "
        "labels on any Pods"
    ]


@pytest.mark.parametrize("spec", [{"clusterIP": "None"}, {"selector": None}])
def test_headless_and_selectorless_services_are_ready_at_first_sight(
    engine: Engine, namespace: str, spec: dict[str, Any]
) -> None:
    assert engine.create(service(namespace, **spec), timeout=5).identifier


def test_load_balancer_needs_an_address(engine: Engine, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(await_service, "_SETTLE_SECONDS", 0.2)

    with pytest.raises(ProviderCallError) as failure:
        engine.create(service(namespace, type="LoadBalancer"), timeout=2)

    assert failure.value.reasons[1:] == [
        "Service was not allocated an IP address; does your cloud provider support this?"
    ]
    assert "[2/3] Attempting to allocate IP address to Service" in engine.statuses()


def test_ingress_is_awaited_until_it_has_an_address(
    engine: Engine, namespace: str, api: client.ApiClient, until: Any
) -> None:
    skipped = service(namespace)
    skipped["metadata"]["annotations"] = {"pulumi.com/skipAwait": "true"}
    engine.create(skipped)
    until(lambda: client.CoreV1Api(api).list_namespaced_endpoints(namespace).items)
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "door", "namespace": namespace},
        "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
    }
    thread, outcome = in_background(engine, ingress)
    waiting = "[2/3] Waiting for update of .status.loadBalancer with hostname/IP"
    until(lambda: waiting in engine.statuses())
    client.NetworkingV1Api(api).patch_namespaced_ingress_status(
        "door", namespace, {"status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}}
    )
    thread.join(10)

    assert outcome[0].state["status"]["loadBalancer"]["ingress"] == [{"ip": "192.0.2.1"}]
    assert engine.statuses()[-1] == "✅ Ingress initialization complete"
