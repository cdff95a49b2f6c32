"""A folder that is written as a whole: read whole, replaced whole, and left alone where it holds anything of others."""

from __future__ import annotations

import ctypes
import errno
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.errors import StackError
from infra.own_files import OwnFiles

_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # Linux: linux/fcntl.h, linux/fs.h
_NO_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}  # file systems that cannot


class TreeFolder:
    """Files on disk. Only a folder that is not there, is empty, or holds this tool's files alone is touched."""

    def __init__(self, folder: str, own: OwnFiles) -> None:
        self.shown = folder
        self._own = own
        path = Path.cwd() / folder
        self._folder = path if path.is_symlink() else path.resolve()

    def read(self) -> dict[str, str]:
        """Text of every file by its path below the folder, with `/`; empty where there is no folder, or nothing in it.

        Raises:
            StackError: it cannot be read, or holds anything that this tool did not write.
        """
        try:
            if self._folder.is_symlink() or (self._folder.exists() and not self._folder.is_dir()):
                raise self._foreign("not a folder itself")
            if not self._folder.exists():
                return {}
            return self._files()
        except OSError as error:
            raise StackError(f"{self.shown}: cannot be read: {error.strerror}.") from None

    def _files(self) -> dict[str, str]:
        found: dict[str, str] = {}
        marked = (self._folder / self._own.marker).is_file()
        for place, folders, files in os.walk(self._folder, onerror=_raise):
            links = [name for name in folders if Path(place, name).is_symlink()]
            for path in (Path(place, name) for name in sorted([*files, *links])):
                file = path.relative_to(self._folder).as_posix()
                text = None if path.is_symlink() or not path.is_file() else _text(path)
                if not marked or text is None or not self._is_own(file, text):
                    raise self._foreign(f"holds {ascii(file)[1:-1]}, which it did not write")
                found[file] = text
        if marked and found[self._own.marker] != self._own.marker_text:
            raise self._foreign(f"{self._own.marker} is not of this version, or was changed")
        return found

    def _is_own(self, file: str, text: str) -> bool:
        return file == self._own.marker or self._own.wrote(file, text)

    def _foreign(self, why: str) -> StackError:
        return StackError(f"{self.shown}: {why}. {self._own.advice}")

    def replace(self, files: Mapping[str, str]) -> None:
        """Put a tree in the place of the one that is there; whoever looks sees the old one or the new one, whole.

        Raises:
            StackError: it cannot be written; the old tree is there still.
        """
        self.read()
        draft = self._folder.parent / f"{self._draft_prefix}{secrets.token_hex(8)}"
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            for left in self._folder.parent.iterdir():
                if left.name.startswith(self._draft_prefix):  # of a run that was killed
                    shutil.rmtree(left)
            try:
                for file, text in files.items():
                    path = draft / file
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8", newline="")
                self._place(draft)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        except OSError as error:
            raise StackError(f"{self.shown}: cannot be written: {error.strerror}.") from None

    @property
    def _draft_prefix(self) -> str:
        return f".{self._folder.name}.servestack-"

    def _place(self, draft: Path) -> None:
        """Give a finished tree its name; the old one is left under the draft's, to be deleted."""
        if not self._folder.exists() or not any(self._folder.iterdir()):
            draft.rename(self._folder)  # an empty folder is replaced, one that was filled meanwhile is not
        elif not _exchange(draft, self._folder):
            old = draft.with_name(draft.name + "-old")
            self._folder.rename(old)
            draft.rename(self._folder)
            shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two names in one step, as Linux can; False where this system or file system cannot."""
    swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if swap is None:
        return False
    if swap(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    fault = ctypes.get_errno()
    if fault in _NO_EXCHANGE:
        return False
    raise OSError(fault, os.strerror(fault))


def _text(path: Path) -> str | None:
    """A file's text; None where it is not UTF-8, and so none of ours."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None


def _raise(error: OSError) -> None:
    raise error
