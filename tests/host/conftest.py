"""A hub, a Mac and a project for each test, or for a module where its tests leave nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.binaries import Binaries, locate
from tests.host import hub as hubs
from tests.host import mac as macs
from tests.host.hub import Hub
from tests.host.mac import Mac
from tests.host.project import HostProject


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return locate()


@pytest.fixture
def served() -> Iterator[tuple[Hub, str]]:
    with hubs.serving() as (hub, address):
        hub.files = {"config.json": b"{}", "model.safetensors": b"weights" * 1000}
        yield hub, address


@pytest.fixture
def hub(served: tuple[Hub, str]) -> Hub:
    return served[0]


@pytest.fixture
def mac(tmp_path: Path, served: tuple[Hub, str]) -> Iterator[Mac]:
    with macs.mac(tmp_path / "mac", served[1]) as made:
        yield made


@pytest.fixture
def project(tmp_path: Path, binaries: Binaries, mac: Mac) -> HostProject:
    return HostProject(tmp_path, binaries, mac)
