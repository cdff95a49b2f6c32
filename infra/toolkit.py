"""Where the toolkit's own data is read from: the catalogue, and the manifests' templates.

It is the installation's. A review reads those of two revisions, each for the stacks of its side.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

INSTALLED = Path(__file__).resolve().parent.parent
CATALOGUE, MANIFESTS = "infra/catalog", "manifests"

_folder: ContextVar[Path] = ContextVar("toolkit", default=INSTALLED)


def toolkit() -> Path:
    """Folder that has `infra/catalog` and `manifests`."""
    return _folder.get()


@contextmanager
def using(folder: Path) -> Iterator[None]:
    """Plan and render from another folder's data. Equal folders are read once, so a folder's files must not change."""
    before = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(before)
