"""A file that is written whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from infra.errors import StackError


def write_whole(file: str, text: str) -> None:
    """Put a text in the place of what is there; whoever reads finds the old one or the new one, whole.

    Raises:
        StackError: it cannot be written, or is something else than a file; what was there is there still.
    """
    try:
        path = Path(file).resolve()
        if path.exists() and not path.is_file():
            raise StackError(f"{file}: not a file. Name one that is, or that is not there yet.")
        draft = path.with_name(f".{path.name[:100]}.servestack-{secrets.token_hex(8)}")
        try:
            draft.write_text(text, encoding="utf-8", newline="")
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise StackError(f"{file}: cannot be written: {why}.") from None
