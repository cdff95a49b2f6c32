"""A simulated platform per test module: the real engine, a real control plane, the unchanged program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulator.binaries import locate
from tests.e2e.project import Project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose platform `dev` is up."""
    made = Project(tmp_path_factory.mktemp("project"), locate())
    try:
        made.up("dev")
        yield made
    finally:
        made.close()
