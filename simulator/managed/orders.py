"""What a command line asks of a running server: a file that the server empties at each request."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Order = dict[str, Any]
"""One thing to do: its kind under "do", and what `obedience` knows of it."""


class Orders:
    """Orders that wait. Several processes may give and take at once."""

    def __init__(self, path: Path) -> None:
        """Use a JSON file that need not exist yet."""
        self.path = path

    def give(self, order: Order) -> None:
        """Add an order."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            self._write([*self._read(), order])

    def waiting(self) -> list[Order]:
        """All that were not taken yet."""
        return self._read()

    def take(self) -> list[Order]:
        """All that wait, oldest first; they are gone then.

        Raises:
            ValueError: the file is not one of ours; it is gone too.
        """
        if not self.path.exists():
            return []
        with self._locked():
            try:
                return self._read()
            finally:
                self.path.unlink(missing_ok=True)

    def _read(self) -> list[Order]:
        orders: list[Order] = json.loads(self.path.read_text()) if self.path.exists() else []
        return orders

    def _write(self, orders: list[Order]) -> None:
        scratch = self.path.with_suffix(f".{os.getpid()}.new")
        scratch.write_text(json.dumps(orders, indent=1) + "\n")
        scratch.replace(self.path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self.path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
