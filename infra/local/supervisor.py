"""Keeps one server running: `python -m infra.local.supervisor FOLDER`, a process of its own with nothing above it.

FOLDER holds `service.json` (words, environment, working folder) and takes `supervisor.lock` (held for life, so that a
number of a dead process is never believed), `status.json`, `server.log` and its older half. A server that ends is
started again, each time after a longer wait; SIGTERM ends both. On Linux the kernel ends the server where the
supervisor is killed; elsewhere its successor does.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

LOG_BYTES = 5 * 2**20
STOP_SECONDS = 15
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0
_LOOK_SECONDS = 1.0
_STEADY_SECONDS = 60.0  # a server that ran so long starts again at once
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG, linux/prctl.h


class Supervisor:
    """One server and what is known of it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopping = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self._starts = self._exits = 0
        self._last_exit: int | None = None

    def run(self) -> int:
        """Run until told to stop; the exit code."""
        lock = os.open(self._folder / "supervisor.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not _locked(lock):
            print("another supervisor has this service", file=sys.stderr)
            return 0
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: self._stop())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        left = leftover(self._folder)
        self._note("starting")  # from here on the number in the file is ours
        end_leftover(self._folder, left)
        wait = _FIRST_WAIT_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            self._serve_once()
            if self._stopping.is_set():
                break
            wait = _FIRST_WAIT_SECONDS if time.monotonic() - began > _STEADY_SECONDS else wait
            self._note("waiting")
            self._stopping.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        self._note("stopped")
        return 0

    def _serve_once(self) -> None:
        wanted = json.loads((self._folder / "service.json").read_text(encoding="utf-8"))
        try:
            server = subprocess.Popen(
                [wanted["program"], *wanted["arguments"]],
                cwd=wanted["cwd"],
                env=wanted["environment"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,
            )
        except OSError as refused:
            self._starts, self._exits, self._last_exit = self._starts + 1, self._exits + 1, 127
            append(self._folder / "server.log", f"{wanted['program']}: {refused.strerror}\n".encode())
            return
        self._server = server
        self._starts += 1
        self._note("running")
        if self._stopping.is_set():  # told to stop between the two lines above
            server.terminate()
        assert server.stdout is not None
        reader = threading.Thread(target=_keep_log, args=(server.stdout, self._folder / "server.log"), daemon=True)
        reader.start()
        self._last_exit = server.wait()
        self._exits += 1
        self._server = None
        reader.join(timeout=2)

    def _stop(self) -> None:
        self._stopping.set()
        server = self._server
        if server is not None and server.poll() is None:
            server.terminate()
            threading.Thread(target=_kill_late, args=(server,), daemon=True).start()

    def _note(self, state: str) -> None:
        write(
            self._folder / "status.json",
            {
                "state": state,
                "supervisor": os.getpid(),
                "server": self._server.pid if self._server else None,
                "starts": self._starts,
                "exits": self._exits,
                "lastExit": self._last_exit,
            },
        )


def _locked(lock: int) -> bool:
    """Whether the lock is ours now; those who only look hold it for a moment."""
    deadline = time.monotonic() + _LOOK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        else:
            return True


def leftover(folder: Path) -> int | None:
    """Number of the server that was last started here; it may have ended long ago."""
    try:
        pid = json.loads((folder / "status.json").read_text(encoding="utf-8"))["server"]
    except (OSError, ValueError, KeyError):
        return None
    return pid if isinstance(pid, int) else None


def end_leftover(folder: Path, pid: int | None) -> None:
    """End a server whose supervisor was killed, where the kernel did not: only one of the same program."""
    try:
        program = json.loads((folder / "service.json").read_text(encoding="utf-8"))["program"]
    except (OSError, ValueError, KeyError):
        return
    if pid is None or not _runs(pid, program):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _runs(pid, program):
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.05)


def write(path: Path, content: dict[str, Any]) -> None:
    """Write a file of which readers see the old or the new, never a half."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file)
    fresh.replace(path)


def append(log: Path, data: bytes) -> None:
    """Add to a log, of which at most twice `LOG_BYTES` are kept."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size + len(data) > LOG_BYTES:
            log.replace(log.with_name(f"{log.name}.1"))
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)


def _keep_log(output: IO[bytes], log: Path) -> None:
    while data := os.read(output.fileno(), 65536):
        with contextlib.suppress(OSError):  # a full disk stops the log, not the server
            append(log, data)


def _kill_late(server: subprocess.Popen[bytes]) -> None:
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()


def _runs(pid: int, program: str) -> bool:
    found = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.startswith(program)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(Supervisor(Path(sys.argv[1])).run())
