"""The running parts of one control plane."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from simulator import child_process

_STOP_LIMIT_SECONDS = 3.0
_WATCH_SECONDS = 0.5
"""Pause between two looks at the parts; also the least time between two starts of one part."""


class Parts:
    """Programs that run below one folder, each with a log.

    GKE keeps a cluster's control plane alive. So does this: once `keep_alive` was called, a part that ends,
    for example killed for want of memory, is started again.
    """

    def __init__(self, directory: Path, logs: Path) -> None:
        """Use a folder; nothing is started yet."""
        self._directory = directory
        self._logs = logs
        self._commands: dict[str, list[str]] = {}
        self._before: dict[str, Callable[[], bool]] = {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = threading.Event()
        self._watcher: threading.Thread | None = None

    def run(self, name: str, program: Path, *arguments: str, before: Callable[[], bool] = lambda: True) -> None:
        """Start a part.

        Args:
            name: Names its log.
            program: What to run.
            arguments: With what.
            before: Called before it is started again, until it says that it may be.
        """
        self._commands[name] = [str(program), *arguments]
        self._before[name] = before
        self._start(name, "wb")

    def _start(self, name: str, mode: str) -> None:
        with (self._logs / f"{name}.log").open(mode) as log:
            environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self._directory)}
            self._children[name] = child_process.start(
                self._commands[name], output=log, environment=environment, directory=self._directory
            )

    def ended(self) -> list[str]:
        """Names of parts that are not alive."""
        return [name for name, child in self._children.items() if child.poll() is not None]

    def __bool__(self) -> bool:
        """Whether any part was started."""
        return bool(self._children)

    def keep_alive(self) -> None:
        """Start again, from now on, whatever ends."""
        self._stopping.clear()
        self._watcher = threading.Thread(target=self._watch, name="control plane", daemon=True)
        self._watcher.start()

    def _watch(self) -> None:
        while not self._stopping.wait(_WATCH_SECONDS):
            for name in self.ended():
                with contextlib.suppress(OSError):  # such as a full disk: tried again
                    if self._before[name]():
                        self._start(name, "ab")

    def stop(self) -> None:
        """Stop every part, the last started first."""
        self._stopping.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        for child in reversed(self._children.values()):
            child_process.stop(child, within_seconds=_STOP_LIMIT_SECONDS)
        self._children.clear()
