"""Packages of an engine's environment, by version: every one with its version and the SHA-256 of its wheels."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

FOLDER_VARIABLE = "SERVESTACK_HOST_LOCKS"
"""Names another folder of lists, for other packages than those that were tried."""


def text(version: str) -> str:
    """The list for a version of mlx-vlm."""
    folder = Path(os.environ.get(FOLDER_VARIABLE) or Path(__file__).parent)
    return (folder / f"mlx-vlm-{version}.txt").read_text(encoding="utf-8")


def checksum(version: str) -> str:
    """SHA-256 of the list."""
    return hashlib.sha256(text(version).encode()).hexdigest()
