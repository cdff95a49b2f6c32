"""Rendered endpoints on machines made by hand, and what was to be seen of their pods at every moment."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kubernetes import client, utils, watch
from workloads import QUICK

from infra.cloud.node_pool import accelerator_pool_inputs
from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from simulator.google import machine_types
from simulator.google.node import node_object
from tests.conftest import ROOT

EXAMPLES = StackFolder(ROOT / "tests" / "examples" / "valid")
_ZONE = "us-central1-a"
_STEADY_SECONDS = 1


def example(name: str) -> Endpoint:
    """An endpoint of tests/examples/valid."""
    built = build(name, EXAMPLES)
    assert isinstance(built, Endpoint)
    return built


@dataclass
class Moments:
    """Every state that the API server had of the pods, in order."""

    pods: dict[str, Any] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    available: list[int] = field(default_factory=list)

    def saw(self, kind: str, pod: Any) -> None:
        if kind == "DELETED":
            self.pods.pop(pod.metadata.uid, None)
        else:
            self.pods[pod.metadata.uid] = pod
        staying = [one for one in self.pods.values() if not one.metadata.deletion_timestamp]
        self.asked.append(len(staying))
        self.available.append(sum(is_ready(one) for one in staying))


def is_ready(pod: Any) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions or [])


class Running:
    """One endpoint on a cluster, as rendered but for the annotations that make its pods quick."""

    def __init__(self, api: client.ApiClient, endpoint: Endpoint) -> None:
        self.name, self.endpoint = endpoint.name, endpoint
        self.core, self.apps, self.policy = client.CoreV1Api(api), client.AppsV1Api(api), client.PolicyV1Api(api)
        self._api = api
        self._machines: list[str] = []
        platform = endpoint.platform.gke
        assert platform
        self.pool = accelerator_pool_inputs(endpoint.plan, platform)

    def machine(self, pool: dict[str, Any] | None = None) -> str:
        """Register one node of the endpoint's pool, or of another one, with the labels and taints of GKE."""
        inputs = pool or self.pool
        name = f"{inputs['name']}-{self.name[-5:]}-{len(self._machines)}"
        made = node_object(machine_types.load(), "servestack-dev", inputs["name"], inputs, _ZONE, name)
        self.core.create_node(made)
        self._machines.append(name)
        return name

    def lose(self, name: str) -> None:
        self.core.delete_node(name)
        self._machines.remove(name)

    def start(self, **strategy: Any) -> None:
        for manifest in self.endpoint.objects():
            made = copy.deepcopy(manifest)
            if made["kind"] == "Deployment":
                made["spec"]["template"]["metadata"]["annotations"] |= QUICK
                made["spec"]["strategy"] = strategy or made["spec"]["strategy"]
            if not made["apiVersion"].startswith("monitoring."):  # who watches is no matter here
                utils.create_from_dict(self._api, made)

    def stop(self) -> None:
        self.core.delete_namespace(self.name)
        client.SchedulingV1Api(self._api).delete_priority_class(self.name)
        for name in list(self._machines):
            self.lose(name)

    def pods(self) -> list[Any]:
        found: list[Any] = self.core.list_namespaced_pod(self.name).items
        return [pod for pod in found if not pod.metadata.deletion_timestamp]

    def deployment(self) -> Any:
        return self.apps.read_namespaced_deployment(self.name, self.name)

    def budget(self) -> Any:
        return self.policy.read_namespaced_pod_disruption_budget(self.name, self.name).status

    def is_complete(self) -> bool:
        """Whether every replica is of the newest version and available, as `kubectl rollout status` asks."""
        found = self.deployment()
        status, wanted = found.status, found.spec.replicas
        seen = (status.observed_generation or 0) >= found.metadata.generation
        counts = {status.replicas, status.updated_replicas, status.available_replicas}
        return seen and counts == {wanted}

    def change(self, argument: str) -> None:
        """A new version: one more argument of the engine."""
        path = "/spec/template/spec/containers/0/args/-"
        self.apps.patch_namespaced_deployment(self.name, self.name, [{"op": "add", "path": path, "value": argument}])

    def moments_since(self, version: str, pods: list[Any]) -> Moments:
        """What happened after a list of pods had a version: the API server tells each change, none is missed."""
        seen = Moments({pod.metadata.uid: pod for pod in pods})
        stream = watch.Watch().stream(
            self.core.list_namespaced_pod, self.name, resource_version=version, timeout_seconds=_STEADY_SECONDS
        )
        for event in stream:
            seen.saw(event["type"], event["object"])
        return seen

    def evict(self, pod: str) -> None:
        """Ask to evict a pod, as a drain does.

        Raises:
            ApiException: status 429 where the PodDisruptionBudget does not allow it now.
        """
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": self.name}}
        self.core.create_namespaced_pod_eviction(pod, self.name, body)


@contextmanager
def running(api: client.ApiClient, endpoint: Endpoint, machines: int, **strategy: Any) -> Iterator[Running]:
    """An endpoint with so many machines, taken down afterwards without waiting."""
    one = Running(api, endpoint)
    try:
        for _ in range(machines):
            one.machine()
        one.start(**strategy)
        yield one
    finally:
        one.stop()
