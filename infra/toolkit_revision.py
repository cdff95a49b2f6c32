"""The toolkit's own data at a git revision, where it lies in the repository of the stack files: a folder apart.

It is data of that revision, read by the program that runs; none of the revision's code is.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from infra.errors import StackError
from infra.git_command import FILE_MODES, Blob, contents, listed
from infra.git_revisions import Revision
from infra.toolkit import CATALOGUE, MANIFESTS

_MOST_BYTES = 4 * 1024 * 1024
_MARK = f"{CATALOGUE}/models.yaml"


class ToolkitRevision:
    """Files of the toolkit beside the folder of stack files, at one revision; none where there is no toolkit."""

    def __init__(self, folder: Path, revision: Revision) -> None:
        """List them.

        Raises:
            StackError: git fails.
        """
        self._folder = folder
        above = str(PurePosixPath(revision.prefix).parent) if revision.prefix else None
        self._top = "" if above in (".", None) else f"{above}/"
        found: dict[str, Blob] = {}
        if above is not None:
            paths = (f"{self._top}infra", f"{self._top}{MANIFESTS}")
            for path, blob in listed(folder, revision.commit, *paths, deep=True):
                found[path.removeprefix(self._top)] = blob
        self.files: Mapping[str, Blob] = found if _MARK in found else {}

    @property
    def catalogue(self) -> dict[str, Blob]:
        """Facts."""
        return {path: blob for path, blob in self.files.items() if _is_fact(path)}

    @property
    def templates(self) -> dict[str, Blob]:
        """Templates and what else is put into objects as it is."""
        return {path: blob for path, blob in self.files.items() if path.startswith(f"{MANIFESTS}/")}

    @property
    def program(self) -> dict[str, Blob]:
        """What decides: the program's own files."""
        return {path: blob for path, blob in self.files.items() if path.startswith("infra/") and not _is_fact(path)}

    def write(self, folder: Path) -> None:
        """Write catalogue and templates below an empty folder.

        Raises:
            StackError: a file of the revision is none that a toolkit has.
        """
        wanted = self.catalogue | self.templates
        for path, blob in wanted.items():
            if blob.mode not in FILE_MODES or blob.size > _MOST_BYTES or ".." in PurePosixPath(path).parts:
                raise StackError(f"{self._top}{path}: not a file of the toolkit, or too large.")
        found = contents(self._folder, {blob.object_id for blob in wanted.values()})
        for path, blob in wanted.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(found[blob.object_id])


def differing(before: Mapping[str, Blob], after: Mapping[str, Blob]) -> tuple[str, ...]:
    """Names of files that are not the same on both sides."""
    names = sorted(before.keys() | after.keys())
    return tuple(name for name in names if _id(before.get(name)) != _id(after.get(name)))


def _is_fact(path: str) -> bool:
    return path.startswith(f"{CATALOGUE}/") and path.endswith(".yaml")


def _id(blob: Blob | None) -> str | None:
    return blob.object_id if blob else None
