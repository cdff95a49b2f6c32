"""Fixtures of the tests of the simulated Google Cloud: its provider over gRPC, and its nodes on a real cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from fake_kubernetes import FakeApi, FakeStarter
from google_harness import CLUSTER_INPUTS, CLUSTER_URN, Engine
from google_nodes import CLUSTER, LOCATION, PROJECT, TOLERATIONS, Shared, Until, operation
from kubernetes import client
from pulumi.runtime.proto import plugin_pb2, provider_pb2_grpc
from pulumi.runtime.proto import provider_pb2 as proto

from simulator.control_plane import ControlPlane
from simulator.google.cloud import Cloud
from simulator.google.node_pools import NodePools
from simulator.google.server import serve
from simulator.google.wire import from_struct


@pytest.fixture
def starter() -> FakeStarter:
    return FakeStarter()


@pytest.fixture
def google(tmp_path: Path, starter: FakeStarter, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "0")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_STOCKOUT_RETRY_SECONDS", "0")
    made = Cloud(tmp_path, starter, connect=FakeApi)
    yield made
    made.close()


@pytest.fixture
def gcp(google: Cloud) -> Iterator[Engine]:
    server, port = serve(google)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = provider_pb2_grpc.ResourceProviderStub(channel)
        stub.Attach(plugin_pb2.PluginAttach(address="127.0.0.1:0"))
        stub.Configure(proto.ConfigureRequest(variables={"gcp:config:project": "p"}))
        yield Engine(stub)
    server.stop(None)


@pytest.fixture
def cluster(gcp: Engine) -> dict[str, Any]:
    return from_struct(gcp.create(CLUSTER_URN, CLUSTER_INPUTS).properties)


@pytest.fixture
def cloud(control_plane: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("SERVESTACK_SIMULATOR_PROVISION_SECONDS", "0.2")
    monkeypatch.setenv("SERVESTACK_SIMULATOR_SCAN_SECONDS", "0.1")
    cloud = Cloud(tmp_path, lambda _name, _directory: Shared(control_plane))
    cloud.create_cluster(PROJECT, LOCATION, CLUSTER, {"removeDefaultNodePool": True}, operation())
    yield cloud
    pools = cloud.pools(PROJECT, LOCATION, CLUSTER)
    for name in pools.all():
        pools.delete(name, operation())
    cloud.close()


@pytest.fixture
def pools(cloud: Cloud) -> NodePools:
    return cloud.pools(PROJECT, LOCATION, CLUSTER)


@pytest.fixture
def core(api: client.ApiClient) -> client.CoreV1Api:
    return client.CoreV1Api(api)


@pytest.fixture
def ask(core: client.CoreV1Api, namespace: str, until: Until) -> Iterator[Callable[..., str]]:
    def create(name: str = "server", gpus: int = 1, tolerations: Any = TOLERATIONS) -> str:
        resources = {"limits": {"nvidia.com/gpu": str(gpus), "cpu": "20", "memory": "200Gi"}}
        core.create_namespaced_pod(
            namespace,
            {
                "metadata": {"name": name},
                "spec": {
                    "containers": [{"name": "vllm", "image": "vllm", "resources": resources}],
                    "tolerations": tolerations,
                    "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"},
                    "terminationGracePeriodSeconds": 0,
                },
            },
        )
        return name

    yield create
    core.delete_collection_namespaced_pod(namespace, grace_period_seconds=0)
    until(lambda: not core.list_namespaced_pod(namespace).items, what="the test's pods are gone")


@pytest.fixture
def event(core: client.CoreV1Api, namespace: str, until: Until) -> Callable[..., Any]:
    def find(reason: str, pod: str = "server", containing: str = "") -> Any:
        def look() -> Any:
            events = core.list_namespaced_event(namespace, field_selector=f"involvedObject.name={pod}").items
            found = [one for one in events if one.reason == reason and containing in one.message]
            return found and found[-1]

        return until(look, within_seconds=20, what=f"event {reason} {containing}")

    return find
