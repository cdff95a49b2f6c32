"""Where services and weights are on this machine: one folder for all stacks of the user."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

VARIABLE = "SERVESTACK_DATA"


def data_folder() -> Path:
    """`$SERVESTACK_DATA`, else `servestack` in the user's folder for programs' data."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named).absolute()
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "servestack"


def service_folder(stack: str) -> Path:
    """Folder of one service: key, log, what is wanted and what is known of it; for its owner alone."""
    folder = data_folder() / "services" / stack
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def ensure_key(path: Path) -> None:
    """Make an API key that is there once and for all, readable by its owner alone."""
    try:
        held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        path.chmod(0o600)
        if path.read_text(encoding="utf-8").strip():
            return
        held = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
    with os.fdopen(held, "w", encoding="utf-8") as file:
        file.write(f"{secrets.token_hex(32)}\n")
