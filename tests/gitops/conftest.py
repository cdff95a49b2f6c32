"""The programs of `examples/ci`, and the forges that they talk to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitops.standin_github import GitHub

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path.append(str(EXAMPLES / "ci"))


@pytest.fixture
def github() -> Iterator[GitHub]:
    with GitHub() as server:
        yield server
