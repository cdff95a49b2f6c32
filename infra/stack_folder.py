"""The folder of stack files, the only place that reads and writes them. Names are checked before any path is made."""

from __future__ import annotations

import errno
import os
import re
import secrets
from pathlib import Path, PurePath

from infra.document import MAX_BYTES
from infra.errors import Problem, SpecError, StackError, nearest
from infra.lock import LOCK_FILE
from infra.lock import MAX_BYTES as MOST_LOCK_BYTES
from infra.spec import NAME_PATTERN

# What file systems without hard links answer.
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NAME_RULE = "lower-case letters, digits and hyphens, a letter first, 2 to 40 long"


class StackFolder:
    """Stack files by name; `shown` is how the folder is written in messages."""

    def __init__(self, folder: Path, shown: str = "stacks") -> None:
        self.folder = folder
        self.shown = shown

    def names(self) -> list[str]:
        """Names of all stack files, sorted; files whose name could be no stack are left out.

        Raises:
            SpecError: no such folder, or it cannot be read.
        """
        files = [PurePath(file) for file in self._files()]
        return sorted(file.stem for file in files if file.suffix == ".yaml" and re.fullmatch(NAME_PATTERN, file.stem))

    def strays(self) -> list[Problem]:
        """YAML files whose name could be no stack, so that none is left out unseen.

        Raises:
            SpecError: there is no stack file at all.
        """
        known = {f"{name}.yaml" for name in self.names()}
        others = [file for file in self._files() if file.endswith((".yaml", ".yml")) and file not in known]
        if not known and not others:
            raise SpecError(f"{self.shown}: no stack files. Name their folder with --stacks DIR.")
        message = f"no name of a stack file: {_NAME_RULE}, then .yaml. Rename it or move it away."
        return [Problem(f"{self.shown}/{ascii(file)[1:-1]}", 0, 0, "", message) for file in others]

    def _files(self) -> list[str]:
        try:
            return [file.name for file in self.folder.iterdir() if not file.name.startswith(".")]
        except (FileNotFoundError, NotADirectoryError):
            raise SpecError(
                f"{self.shown}: no such folder. Name the folder of stack files with --stacks DIR."
            ) from None
        except OSError as error:
            raise SpecError(f"{self.shown}: cannot be read: {error.strerror}.") from None

    def path(self, name: str) -> str:
        """File of a stack as the user would write it."""
        return f"{self.shown}/{name}.yaml"

    def text(self, name: str) -> str:
        """Text of a stack file.

        Raises:
            SpecError: not a name, no such file, unreadable, too large, or not UTF-8.
        """
        file = self._file(name)
        try:
            return _text(file, self.path(name), MAX_BYTES, "a stack file")
        except (FileNotFoundError, NotADirectoryError):
            known = nearest(name, self.names())
            raise SpecError(f"no stack '{name}': {self.path(name)} does not exist. {known}") from None

    def lock_text(self) -> str | None:
        """Text of the lock file; None where there is none.

        Raises:
            SpecError: unreadable, too large, or not UTF-8.
        """
        try:
            return _text(self.folder / LOCK_FILE, f"{self.shown}/{LOCK_FILE}", MOST_LOCK_BYTES, "a lock file")
        except (FileNotFoundError, NotADirectoryError):
            return None

    def replace_lock(self, text: str) -> None:
        """Write the lock file, whole or not at all.

        Raises:
            StackError: it cannot be written.
        """
        draft = self.folder / f".{LOCK_FILE}.{secrets.token_hex(8)}"
        try:
            try:
                _write_draft(draft, text)
                draft.replace(self.folder / LOCK_FILE)
            finally:
                draft.unlink(missing_ok=True)
        except OSError as error:
            raise StackError(f"{self.shown}/{LOCK_FILE}: cannot be written: {error.strerror}.") from None

    def has_schema(self) -> bool:
        """Whether the JSON schema that editors use lies beside the stack files."""
        return (self.folder / "schema.json").is_file()

    def create(self, name: str, text: str, *, dry_run: bool = False) -> None:
        """Write a new stack file, whole or not at all; one that exists is never touched.

        Args:
            name: of the stack.
            text: of its file.
            dry_run: only check that it could be.

        Raises:
            SpecError: not a name, or the file exists.
            StackError: it cannot be written.
        """
        file = self._file(name)
        taken = SpecError(
            f"{self.path(name)} exists and stays as it is. Give the new one a name of its own: --suffix WORD."
        )
        if os.path.lexists(file):
            raise taken
        if dry_run:
            return
        draft = self.folder / f".{name}.{secrets.token_hex(8)}"
        try:
            try:
                _write_draft(draft, text)
                self._place(draft, file)
            finally:
                draft.unlink(missing_ok=True)
        except FileExistsError:
            raise taken from None
        except OSError as error:
            raise StackError(f"{self.path(name)}: cannot be written: {error.strerror}.") from None

    def _place(self, draft: Path, file: Path) -> None:
        """Give a finished file its name; unlike a rename alone, this fails where the name was taken meanwhile."""
        try:
            file.hardlink_to(draft)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            file.touch(exist_ok=False)
            draft.replace(file)

    def _file(self, name: str) -> Path:
        if not re.fullmatch(NAME_PATTERN, name):
            shown = name if len(name) <= 60 else name[:57] + "..."
            stem = PurePath(name).stem
            hint = f" Write {stem}." if name.endswith(".yaml") and re.fullmatch(NAME_PATTERN, stem) else ""
            raise SpecError(f"{shown!r} is not a stack name: {_NAME_RULE}.{hint}")
        return self.folder / f"{name}.yaml"


def _text(file: Path, shown: str, most_bytes: int, kind: str) -> str:
    """Text of a file of the folder; FileNotFoundError or NotADirectoryError where there is none."""
    try:
        file.lstat()  # not the folder's list: a fleet's would be read again for each of its files
        if not file.is_file():
            raise _refused(shown, "not a file, or a link to none.")
        size = file.stat().st_size
        with file.open("rb") as stream:
            content = stream.read(most_bytes + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise _refused(shown, f"cannot be read: {error.strerror}.") from None
    if len(content) > most_bytes:
        raise _refused(shown, f"{max(size, len(content)):,} bytes; {kind} has at most {most_bytes:,}.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(shown, f"not UTF-8 text (byte {error.start}).") from None


def _write_draft(draft: Path, text: str) -> None:
    with draft.open("x", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _refused(shown: str, message: str) -> SpecError:
    return SpecError(problems=[Problem(shown, 0, 0, "", message)])
