"""Both sides of a review: every stack's version at two git revisions, or in two folders."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from infra.catalog.loader import load_catalog
from infra.catalog.platforms import platform_facts
from infra.changed_stacks import VersionedFiles, changed_stacks
from infra.errors import SpecError, StackError
from infra.git_revisions import between
from infra.lock import LockChange, lock_changes
from infra.pipeline import build
from infra.review import ToolkitChange, Version
from infra.stack_files import read_lock
from infra.stack_folder import StackFolder
from infra.toolkit import INSTALLED, toolkit, using
from infra.toolkit_revision import ToolkitRevision, differing


class SideFiles(VersionedFiles, Protocol):
    """Stack files of one side."""

    def repository_path(self, name: str) -> str:
        """File as a reviewer's tools name it."""


@dataclass(frozen=True)
class Sides:
    """What `infra.review.review_all` takes."""

    before: dict[str, Version]
    after: dict[str, Version]
    touched: list[str]
    base: str
    head: str
    toolkit: ToolkitChange | None
    locks: tuple[LockChange, ...]


class FolderFiles(StackFolder):
    """A folder as one side."""

    def content_id(self, name: str) -> str | None:
        """Digest of the file; None where there is none, and of what cannot be read what is said of it."""
        if name not in self.names():
            return None
        try:
            return hashlib.sha256(self.text(name).encode()).hexdigest()
        except StackError as error:
            return str(error)

    def repository_path(self, name: str) -> str:
        """File as it was named."""
        return self.path(name)


@contextmanager
def revisions(folder: StackFolder, base: str, head: str) -> Iterator[Sides]:
    """Versions at two revisions of the repository that has the folder.

    Raises:
        StackError: no repository, no git, or no such revision.
    """
    one, other = between(folder, base, head)
    old, new = (ToolkitRevision(folder.folder, revision) for revision in (one, other))
    with tempfile.TemporaryDirectory(prefix="servestack-review-") as scratch:
        before_kit, after_kit, change = _toolkits(old, new, Path(scratch))
        touched = changed_stacks(one, other)
        yield _sides((one, before_kit), (other, after_kit), touched, change, (one.short, other.short))


@contextmanager
def folders(before: StackFolder, after: StackFolder) -> Iterator[Sides]:
    """Versions of two folders, both planned with the installed toolkit."""
    one, other = (FolderFiles(side.folder, side.shown) for side in (before, after))
    here = toolkit()
    yield _sides((one, here), (other, here), changed_stacks(one, other), None, (before.shown, after.shown))


def _toolkits(old: ToolkitRevision, new: ToolkitRevision, scratch: Path) -> tuple[Path, Path, ToolkitChange | None]:
    """Folders of both sides' data, and what differs between them; the installed one where a revision has none."""
    here = toolkit()
    if not new.files:
        return here, here, None
    head = _written(new, scratch / "head", here)
    program = differing(old.program, new.program) if old.files else ()
    change = ToolkitChange(
        differing(old.catalogue, new.catalogue) if old.files else (),
        differing(old.templates, new.templates) if old.files else (),
        program,
        (),
    )
    if not change.catalogue and not change.templates:
        return head, head, change if program else None
    try:
        return _written(old, scratch / "base", here), head, change
    except SpecError as error:
        note = f"{error} So both sides are planned with the newer catalogue and templates."
        return head, head, ToolkitChange(change.catalogue, change.templates, change.program, (), note)


def _written(revision: ToolkitRevision, folder: Path, here: Path) -> Path:
    """A revision's data as a folder; the installed one where it is the same, as that is read already.

    Raises:
        SpecError: this program cannot read it.
    """
    revision.write(folder)
    files = {*revision.catalogue, *revision.templates}
    if all((here / path).is_file() and (here / path).read_bytes() == (folder / path).read_bytes() for path in files):
        return here
    try:
        with using(folder):
            load_catalog()
            platform_facts()
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise SpecError(f"this program cannot read the catalogue of that revision ({said}).") from None
    return folder


def _sides(
    base: tuple[SideFiles, Path],
    head: tuple[SideFiles, Path],
    touched: list[str],
    change: ToolkitChange | None,
    names: tuple[str, str],
) -> Sides:
    after = _versions(*head, {})
    same = {name: one for name, one in after.items() if base[1] == head[1] and name not in touched}
    return Sides(_versions(*base, same), after, touched, *names, change, _locks(base[0], head[0]))


def _locks(base: SideFiles, head: SideFiles) -> tuple[LockChange, ...]:
    """What the lock file fixes otherwise; nothing where a file is wrong, as then every stack says so."""
    try:
        return lock_changes(read_lock(base), read_lock(head))
    except StackError:
        return ()


def _versions(files: SideFiles, kit: Path, same: Mapping[str, Version]) -> dict[str, Version]:
    """Every stack by name; `same` has those that the other side has as well."""
    with using(kit):
        return {name: same.get(name) or _version(name, files, kit) for name in files.names()}


def _version(name: str, files: SideFiles, kit: Path) -> Version:
    path, text = files.repository_path(name), ""
    try:
        text = files.text(name)
        found = Version(name, path, text, build(name, files), None, kit)
        if kit != INSTALLED:
            found.objects  # noqa: B018  so that templates which fail are told of this stack
    except StackError as error:
        return Version(name, path, text, None, error, kit)
    except Exception as error:
        if kit == INSTALLED:
            raise
        said = f"the catalogue or templates of that revision cannot be used ({type(error).__name__}: {error})."
        return Version(name, path, text, None, StackError(said), kit)
    return found
