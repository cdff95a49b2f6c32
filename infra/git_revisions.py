"""Stack files of a git revision, read from its objects: no file of the working tree is looked at or changed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from infra.document import MAX_BYTES
from infra.errors import SpecError, StackError, nearest
from infra.lock import LOCK_FILE
from infra.lock import MAX_BYTES as MOST_LOCK_BYTES
from infra.spec import NAME_PATTERN

_FILE_MODES = ("100644", "100755")
_SHOWN_DIGITS = 10


@dataclass(frozen=True)
class Blob:
    """A file of a revision, by the name of its object: equal for equal content."""

    mode: str
    object_id: str
    size: int


class Revision:
    """Stack files of one revision, as `infra.pipeline.StackFiles`; `shown` is how the folder is written."""

    def __init__(self, folder: Path, revision: str, shown: str = "stacks") -> None:
        """Find the revision, and list the folder as it was then: none where it was not there.

        Raises:
            StackError: no repository, no git, or no such revision.
        """
        self._shown = shown
        self._folder = folder
        prefix = _git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n")
        try:
            found = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except StackError:
            raise SpecError(f"{revision!a} is no revision of this repository, or one that was not fetched.") from None
        self.commit = found.decode().strip()
        self.short = self.commit[:_SHOWN_DIGITS]
        self._lock: Blob | None = None
        self.blobs = self._listed(prefix)
        self._contents: dict[str, bytes] | None = None

    def _listed(self, prefix: str) -> dict[str, Blob]:
        top = ["ls-tree", "-z", "-l", "--full-tree", self.commit, *(["--", prefix] if prefix else [])]
        blobs = {}
        for entry in filter(None, _git(self._folder, *top).split(b"\0")):
            head, _, path = entry.partition(b"\t")
            mode, _kind, object_id, size = head.decode().split()
            file = path.decode("utf-8", "replace").rpartition("/")[2]
            if file.endswith(".yaml") and re.fullmatch(NAME_PATTERN, file.removesuffix(".yaml")):
                blobs[file.removesuffix(".yaml")] = Blob(mode, object_id, int(size) if size.isdecimal() else 0)
            elif file == LOCK_FILE:
                self._lock = Blob(mode, object_id, int(size) if size.isdecimal() else 0)
        return blobs

    def names(self) -> list[str]:
        """Names of all stack files of the revision."""
        return sorted(self.blobs)

    def content_id(self, name: str) -> str | None:
        """Mode and object of a stack file: equal for equal content; None where there is no such file."""
        blob = self.blobs.get(name)
        return None if blob is None else f"{blob.mode} {blob.object_id}"

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
        if blob.mode not in _FILE_MODES:
            raise SpecError(f"{path}: not a file.")
        if blob.size > most_bytes:
            raise SpecError(f"{path}: {blob.size:,} bytes; it may have at most {most_bytes:,}.")
        try:
            return self._read()[blob.object_id].decode("utf-8")
        except UnicodeDecodeError as error:
            raise SpecError(f"{path}: not UTF-8 text (byte {error.start}).") from None

    def _read(self) -> dict[str, bytes]:
        """Content of every file by its object, read once by one git, as a fleet has a thousand."""
        if self._contents is None:
            sized = [(one, MAX_BYTES) for one in self.blobs.values()]
            sized += [(self._lock, MOST_LOCK_BYTES)] if self._lock else []
            wanted = {one.object_id for one, most in sized if one.mode in _FILE_MODES and one.size <= most}
            answer = _git(self._folder, "cat-file", "--batch", given="".join(f"{one}\n" for one in sorted(wanted)))
            self._contents, at = {}, 0
            while at < len(answer):
                end = answer.index(b"\n", at)
                object_id, _kind, size = answer[at:end].decode().split()
                self._contents[object_id] = answer[end + 1 : end + 1 + int(size)]
                at = end + 2 + int(size)
        return self._contents


def _git(folder: Path, *arguments: str, given: str = "") -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, input=given.encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise StackError("git is not there: install it, as reviews read revisions with it.") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise StackError(f"git: {said[0] if said else 'failed'}")
    return done.stdout
