"""What the simulated Google Cloud remembers: one JSON file that several processes may read and change."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulator.errors import SimulatorError

_EMPTY: dict[str, Any] = {
    "version": 1,
    "clusters": {},
    "faults": {"stockouts": [], "quotas": [], "preemptions": []},
}
_ADDED_LATER = ("projects", "resources", "unmanaged")
"""Sections that older files do not have; a missing one is empty."""


class State:
    """Clusters, their node pools and nodes, other resources by full name, projects, and the faults to simulate.

    `unmanaged` is what Google keeps and no resource manages any more (see `simulator.google.unmanaged`). Values of
    simulated secrets stand in this file and nowhere else, so that only its owner can read it.

    Every change is a read, a change and an atomic replacement of the file, under a lock that also holds
    between processes, so that a fault can be set from a command line while a supervisor is running.
    """

    def __init__(self, path: Path) -> None:
        """Use a file that need not exist yet.

        Args:
            path: The JSON file; its folder is made when missing.
        """
        self.path = path
        self._lock = threading.RLock()
        path.parent.mkdir(parents=True, exist_ok=True)

    def read(self) -> dict[str, Any]:
        """A copy of everything, as it is now.

        Raises:
            SimulatorError: The file is cut off, or is not one of ours.
        """
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            text = json.dumps(_EMPTY)
        except UnicodeDecodeError as error:
            raise SimulatorError(self._not_ours(str(error))) from error
        try:
            data: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise SimulatorError(self._not_ours(str(error))) from error
        missing = [key for key in _EMPTY if not isinstance(data, dict) or type(data.get(key)) is not type(_EMPTY[key])]
        if missing or data["version"] != _EMPTY["version"]:
            raise SimulatorError(self._not_ours(f"no {', '.join(missing)}" if missing else "another version"))
        for section in _ADDED_LATER:
            if not isinstance(data.setdefault(section, {}), dict):
                raise SimulatorError(self._not_ours(f"{section} is no object"))
        return data

    def _not_ours(self, why: str) -> str:
        return (
            f"{self.path}: what the simulated Google Cloud remembers cannot be read: {why}.\n"
            "Put back a copy, or run `make clean`, which forgets all that is simulated."
        )

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Change what is remembered; it is written when the block ends without an error."""
        with self._lock, self.path.with_suffix(".lock").open("w") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            data = self.read()
            yield data
            scratch = self.path.with_suffix(f".{os.getpid()}.new")
            scratch.touch(mode=0o600)
            scratch.write_text(json.dumps(data, indent=1, sort_keys=True) + "\n")
            scratch.replace(self.path)
