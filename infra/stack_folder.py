"""The folder of stack files: the only reading of files that a user wrote. Names are checked before any path is made."""

from __future__ import annotations

import re
from pathlib import Path

from infra.document import MAX_BYTES
from infra.errors import Problem, SpecError, nearest
from infra.spec import NAME_PATTERN


class StackFolder:
    """Stack files by name; `shown` is how the folder is written in messages."""

    def __init__(self, folder: Path, shown: str = "stacks") -> None:
        self.folder = folder
        self.shown = shown

    def names(self) -> list[str]:
        """Names of all stack files, sorted; files whose name could be no stack are left out."""
        if not self.folder.is_dir():
            raise SpecError(f"{self.shown}: no such folder. Name the folder of stack files with --stacks DIR.")
        return sorted(path.stem for path in self.folder.glob("*.yaml") if re.fullmatch(NAME_PATTERN, path.stem))

    def path(self, name: str) -> str:
        """File of a stack as the user would write it."""
        return f"{self.shown}/{name}.yaml"

    def text(self, name: str) -> str:
        """Text of a stack file.

        Raises:
            SpecError: not a name, no such file, too large, or not UTF-8.
        """
        if not re.fullmatch(NAME_PATTERN, name):
            shown = name if len(name) <= 60 else name[:57] + "..."
            raise SpecError(
                f"{shown!r} is not a stack name: lower-case letters, digits and hyphens, a letter first, 2 to 40 long."
            )
        file = self.folder / f"{name}.yaml"
        if not file.is_file():
            raise SpecError(f"no stack '{name}': {self.path(name)} does not exist. {nearest(name, self.names())}")
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise self._refused(name, f"{size:,} bytes; a stack file has at most {MAX_BYTES:,}.")
        try:
            return file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._refused(name, f"not UTF-8 text (byte {error.start}).") from None

    def _refused(self, name: str, message: str) -> SpecError:
        return SpecError(problems=[Problem(self.path(name), 0, 0, "", message)])
