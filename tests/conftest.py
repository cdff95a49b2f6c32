"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.stack_folder import StackFolder
from simulator.status_message import share_status_message

share_status_message()
ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden; read the diff before committing"
    )


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def stacks() -> StackFolder:
    return StackFolder(ROOT / "stacks")
