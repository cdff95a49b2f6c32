"""A simulated platform per test module: the real engine, a real control plane, the unchanged program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.project import Project, fresh


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose platform `dev` is up."""
    with fresh(tmp_path_factory.mktemp("project")) as made:
        made.up("dev")
        yield made
