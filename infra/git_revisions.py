"""Stack files of a git revision, read from its objects: no file of the working tree is looked at or changed."""

from __future__ import annotations

import re
from pathlib import Path

from infra.document import MAX_BYTES
from infra.errors import SpecError, StackError, nearest
from infra.git_command import FILE_MODES, Blob, contents, git, listed, merge_base
from infra.lock import LOCK_FILE
from infra.lock import MAX_BYTES as MOST_LOCK_BYTES
from infra.spec import NAME_PATTERN
from infra.stack_folder import StackFolder

_SHOWN_DIGITS = 10


def between(folder: StackFolder, base: str, head: str) -> tuple[Revision, Revision]:
    """Both ends of a change.

    It begins where the branches parted, so that what others did since is no part of it; where head is an older revision
    of base, it begins at base itself.

    Raises:
        StackError: no repository, no git, or no such revision.
    """
    named, other = (Revision(folder.folder, revision, folder.shown) for revision in (base, head))
    parted = merge_base(folder.folder, named.commit, other.commit)
    if parted in (None, named.commit, other.commit):
        return named, other
    return Revision(folder.folder, parted, folder.shown), other


class Revision:
    """Stack files of one revision, as `infra.pipeline.StackFiles`; `shown` is how the folder is written."""

    def __init__(self, folder: Path, revision: str, shown: str = "stacks") -> None:
        """Find the revision, and list the folder as it was then: none where it was not there.

        Raises:
            StackError: no repository, no git, or no such revision.
        """
        self._shown = shown
        self._folder = folder
        prefix = git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n")
        try:
            found = git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except StackError:
            raise SpecError(f"{revision!a} is no revision of this repository, or one that was not fetched.") from None
        self.commit = found.decode().strip()
        self.short = self.commit[:_SHOWN_DIGITS]
        self.prefix = prefix
        self._lock: Blob | None = None
        self.blobs = self._listed(prefix)
        self._contents: dict[str, bytes] | None = None

    def _listed(self, prefix: str) -> dict[str, Blob]:
        blobs = {}
        for path, blob in listed(self._folder, self.commit, *([prefix] if prefix else [])):
            file = path.rpartition("/")[2]
            if file.endswith(".yaml") and re.fullmatch(NAME_PATTERN, file.removesuffix(".yaml")):
                blobs[file.removesuffix(".yaml")] = blob
            elif file == LOCK_FILE:
                self._lock = blob
        return blobs

    def names(self) -> list[str]:
        """Names of all stack files of the revision."""
        return sorted(self.blobs)

    def content_id(self, name: str) -> str | None:
        """Mode and object of a stack file: equal for equal content; None where there is no such file."""
        blob = self.blobs.get(name)
        return None if blob is None else f"{blob.mode} {blob.object_id}"

    def repository_path(self, name: str) -> str:
        """File from the top of the repository."""
        return f"{self.prefix}{name}.yaml"

    def path(self, name: str) -> str:
        """File as shown in messages."""
        return f"{self._shown}/{name}.yaml"

    def text(self, name: str) -> str:
        """Text of one stack file.

        Raises:
            SpecError: no such file, a link or folder, too large, or not UTF-8.
        """
        blob = self.blobs.get(name)
        if blob is None:
            raise SpecError(f"no stack '{name}': {self.path(name)} does not exist. {nearest(name, self.names())}")
        return self._text(blob, self.path(name), MAX_BYTES)

    def lock_text(self) -> str | None:
        """Text of the lock file; None where the revision has none.

        Raises:
            SpecError: a link or folder, too large, or not UTF-8.
        """
        return None if self._lock is None else self._text(self._lock, f"{self._shown}/{LOCK_FILE}", MOST_LOCK_BYTES)

    def _text(self, blob: Blob, path: str, most_bytes: int) -> str:
        if blob.mode not in FILE_MODES:
            raise SpecError(f"{path}: not a file.")
        if blob.size > most_bytes:
            raise SpecError(f"{path}: {blob.size:,} bytes; it may have at most {most_bytes:,}.")
        try:
            return self._read()[blob.object_id].decode("utf-8")
        except UnicodeDecodeError as error:
            raise SpecError(f"{path}: not UTF-8 text (byte {error.start}).") from None

    def write(self, folder: Path) -> None:
        """Write stack files and lock file as they are into an empty folder; what is no file there is left out."""
        files = {f"{name}.yaml": blob for name, blob in self.blobs.items()}
        files |= {LOCK_FILE: self._lock} if self._lock else {}
        found = self._read()
        for file, blob in files.items():
            if blob.mode in FILE_MODES and blob.object_id in found:
                (folder / file).write_bytes(found[blob.object_id])

    def _read(self) -> dict[str, bytes]:
        """Content of every file by its object, read once by one git, as a fleet has a thousand."""
        if self._contents is None:
            sized = [(one, MAX_BYTES) for one in self.blobs.values()]
            sized += [(self._lock, MOST_LOCK_BYTES)] if self._lock else []
            wanted = {one.object_id for one, most in sized if one.mode in FILE_MODES and one.size <= most}
            self._contents = contents(self._folder, wanted)
        return self._contents
