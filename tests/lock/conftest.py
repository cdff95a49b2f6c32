"""A hub and a registry for each test, and the environment that leads there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.lock_client import asking
from tests.lock import servers


@pytest.fixture
def hub() -> Iterator[servers.Hub]:
    with servers.hub() as one:
        yield one


@pytest.fixture
def registry() -> Iterator[servers.Registry]:
    with servers.registry() as one:
        yield one


@pytest.fixture(autouse=True)
def _asks_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.0)


@pytest.fixture
def environment(
    hub: servers.Hub, registry: servers.Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> pytest.MonkeyPatch:
    """Every registry that stacks name is the one of the test."""
    hosts = ("docker.io", "ghcr.io", "nvcr.io", "us-docker.pkg.dev", "registry.example")
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("SERVESTACK_REGISTRIES", ",".join(f"{host}={registry.address}" for host in hosts))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return monkeypatch
