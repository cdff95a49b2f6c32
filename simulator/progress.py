"""Long steps say what they do and for how long: a live line on a terminal, plain lines elsewhere.

Standard library only: the set-up runs before the virtual environment exists.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

HEARTBEAT_SECONDS = 30.0
_FRAME_SECONDS = 0.1
_FRAMES = "|/-\\"
_WIDTH = 80


def duration(seconds: float) -> str:
    """Return a duration the way the progress lines write it: "3.2 s", "41 s" or "5 min 26 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


class Step:
    """One running step. `detail` may be set from any thread and appears on the next redraw or heartbeat."""

    def __init__(self, what: str, stream: TextIO) -> None:
        self.what = what
        self.detail = ""
        self._stream = stream
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and not os.environ.get("NO_COLOR")
        if not self._live:
            self._print(f"{what} ...")
        self._thread = threading.Thread(target=self._keep_alive, name="progress", daemon=True)
        self._thread.start()

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self._began

    def _print(self, line: str, end: str = "\n") -> None:
        self._stream.write(line + end)
        self._stream.flush()

    def _keep_alive(self) -> None:
        frame = 0
        while not self._ended.wait(_FRAME_SECONDS if self._live else HEARTBEAT_SECONDS):
            detail = f", {self.detail}" if self.detail else ""
            if not self._live:
                self._print(f"{self.what}: {duration(self.elapsed_seconds)} so far{detail}")
                continue
            columns = min(_WIDTH, shutil.get_terminal_size((_WIDTH, 24)).columns) - 1
            line = f"{_FRAMES[frame % len(_FRAMES)]} {self.what}  {duration(self.elapsed_seconds)}{detail}"
            self._print(f"\r{line[:columns]:<{columns}}", end="")
            frame += 1

    def end(self, outcome: str, *, failed: bool = False) -> None:
        """Stop the live line and leave one line that stays, for example "Building etcd: done in 27 s"."""
        self._ended.set()
        self._thread.join()
        line = f"{self.what}: {outcome} {duration(self.elapsed_seconds)}"
        if not self._live:
            self._print(line)
            return
        if self._colour:
            line = f"\033[{31 if failed else 32}m{line}\033[0m"
        self._print(f"\r\033[2K{line}")


@contextmanager
def step(what: str, stream: TextIO | None = None) -> Iterator[Step]:
    """Show a step while the block runs; print how long it took, also when it fails.

    Args:
        what: What is being done, in the -ing form, at most about 50 characters.
        stream: Where to write; standard error when not given, so that standard output stays for results.

    Yields:
        The running step, whose `detail` may be set to say more while it runs.
    """
    running = Step(what, stream or sys.stderr)
    try:
        yield running
    except BaseException:
        running.end("failed after", failed=True)
        raise
    running.end("done in")
