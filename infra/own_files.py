"""How a folder that this tool writes as a whole is told from one that holds files of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class OwnFiles:
    """One kind of folder.

    Attributes:
        marker: file that says of a folder that it is of this kind.
        marker_text: what that file holds.
        wrote: whether this tool wrote a file of a marked folder, by its path below it and its text.
        advice: what to do where a folder holds anything else.
    """

    marker: str
    marker_text: str
    wrote: Callable[[str, str], bool]
    advice: str
