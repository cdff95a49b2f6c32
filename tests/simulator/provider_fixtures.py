"""Fixtures of the tests of the Kubernetes provider stand-in."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from contextlib import ExitStack, contextmanager

import grpc
import pytest
from kubernetes import client
from provider_harness import Engine, RecordingEngine
from pulumi.runtime.proto import engine_pb2_grpc, plugin_pb2, provider_pb2_grpc

from simulator.control_plane import ControlPlane
from simulator.kubernetes_provider import serve


@contextmanager
def attached(port: int) -> Iterator[Engine]:
    """An engine with a connection of its own, attached to the provider at a port."""
    recording = RecordingEngine()
    log_server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    engine_pb2_grpc.add_EngineServicer_to_server(recording, log_server)
    log_port = log_server.add_insecure_port("127.0.0.1:0")
    log_server.start()
    # Otherwise two channels of one process share a connection, by which the provider tells engines apart.
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1)])
    stub = provider_pb2_grpc.ResourceProviderStub(channel)
    stub.Attach(plugin_pb2.PluginAttach(address=f"127.0.0.1:{log_port}"))
    yield Engine(stub, recording, f"127.0.0.1:{port}")
    channel.close()
    log_server.stop(None)


@pytest.fixture
def unconfigured() -> Iterator[Engine]:
    """An engine attached to a provider that has not been configured."""
    server, port = serve()
    with attached(port) as engine:
        yield engine
    server.stop(None)


@pytest.fixture
def other(engine: Engine, control_plane: ControlPlane) -> Iterator[Engine]:
    """A second engine on the same provider, configured for the same cluster; `hang_up` ends its connection."""
    with ExitStack() as connection:
        second = connection.enter_context(attached(int(engine.target.rpartition(":")[2])))
        second.configure(kubeconfig=control_plane.kubeconfig.read_text())
        second.hang_up = connection.close
        yield second


@pytest.fixture
def engine(unconfigured: Engine, control_plane: ControlPlane) -> Engine:
    """An engine whose provider is configured for the shared control plane."""
    unconfigured.configure(kubeconfig=control_plane.kubeconfig.read_text())
    return unconfigured


@pytest.fixture
def node(api: client.ApiClient, namespace: str) -> Iterator[str]:
    """A fake node for two pods of this namespace."""
    core = client.CoreV1Api(api)
    sizes = {"cpu": "2", "memory": "8Gi", "pods": "110"}
    core.create_node(
        {
            "metadata": {"name": f"{namespace}-node", "labels": {"for": namespace}},
            "spec": {"taints": [{"key": "for", "value": namespace, "effect": "NoSchedule"}]},
            "status": {"capacity": sizes, "allocatable": sizes},
        }
    )
    yield f"{namespace}-node"
    core.delete_node(f"{namespace}-node")
