"""What the simulator's tests share: the real programs, one real control plane, a fresh namespace each."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import pytest
from kubernetes import client, config

from simulator.binaries import Binaries, locate
from simulator.control_plane import ControlPlane

T = TypeVar("T")


class Until(Protocol):
    def __call__(self, check: Callable[[], T], *, within_seconds: float = 30, what: str = "") -> T: ...


def poll(check: Callable[[], T], *, within_seconds: float = 30, what: str = "") -> T:
    """Call `check` until it returns something true, and return that; fail the test at the deadline."""
    deadline = time.monotonic() + within_seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_seconds:g} s: {what or check}; last seen: {found!r}")
        time.sleep(0.05)


@pytest.fixture(scope="session")
def until() -> Until:
    return poll


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return locate()


@pytest.fixture(scope="session")
def control_plane(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A running control plane with no nodes, shared by the whole test session."""
    running = ControlPlane(tmp_path_factory.mktemp("cluster"), binaries, secrets.token_hex(16))
    running.start()
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def api(control_plane: ControlPlane) -> Iterator[client.ApiClient]:
    """The official Python client as the cluster's administrator."""
    with config.new_client_from_config(str(control_plane.kubeconfig)) as administrator:
        yield administrator


@pytest.fixture
def namespace(api: client.ApiClient, until: Until) -> Iterator[str]:
    """A fresh namespace in which pods can be made at once; deleted afterwards, without waiting."""
    core = client.CoreV1Api(api)
    name = f"test-{secrets.token_hex(4)}"
    core.create_namespace({"metadata": {"name": name}})

    def has_default_account() -> bool:
        return any(item.metadata.name == "default" for item in core.list_namespaced_service_account(name).items)

    until(has_default_account, what=f"service account of namespace {name}")
    yield name
    core.delete_namespace(name)
