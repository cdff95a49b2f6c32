"""The folder that `pulumi` runs in: the project's files by link, so that what the engine writes stays outside.

The engine writes `Pulumi.<stack>.yaml` (the salt of the passphrase) beside `Pulumi.yaml`. Of the repository
itself nothing is changed.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from simulator.binaries import REPOSITORY
from simulator.home import Home

_LINKED = ("Pulumi.yaml", "infra", "manifests", "policies", ".venv")


def ensure_workspace(home: Home, stacks: Path) -> Path:
    """Return a folder in which `pulumi` sees the project with this folder of stack files.

    Args:
        home: The simulator's folder.
        stacks: The folder of stack files; each one has a workspace of its own.

    Returns:
        The folder to run `pulumi` in.
    """
    stacks = stacks.resolve()
    default = stacks == (REPOSITORY / "stacks").resolve()
    suffix = "" if default else f"-{hashlib.sha256(str(stacks).encode()).hexdigest()[:8]}"
    folder = home.root / f"workspace{suffix}"
    folder.mkdir(parents=True, exist_ok=True)
    for name in _LINKED:
        if (REPOSITORY / name).exists():
            _link(folder / name, REPOSITORY / name)
    _link(folder / "stacks", stacks)
    return folder


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    temporary = link.with_name(f".{link.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
