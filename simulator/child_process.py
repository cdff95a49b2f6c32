"""Child processes that never outlive this one, however it ends.

Standard library only. On Linux the kernel kills a child when the *thread* that started it ends
(prctl(2), PR_SET_PDEATHSIG), so one thread that lives as long as the process starts them all. The request
is made by a small launcher between fork and exec: code of ours must not run in a forked copy of a process
that has other threads (gRPC's). Elsewhere children are plain processes, ended by `stop` alone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import IO

_PR_SET_PDEATHSIG = 1
_LAUNCHER = f"""
import ctypes, os, signal, sys
parent = int(sys.argv[1])
ctypes.CDLL(None, use_errno=True).prctl({_PR_SET_PDEATHSIG}, int(signal.SIGKILL), 0, 0, 0)
if os.getppid() != parent:
    sys.exit(1)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{{sys.argv[2]}}: {{error.strerror}}")
"""

_requests: SimpleQueue[tuple[_Request, Future[subprocess.Popen[bytes]]]] = SimpleQueue()
_starter: threading.Thread | None = None
_starter_lock = threading.Lock()


class _Request:
    def __init__(
        self,
        command: Sequence[str],
        output: IO[bytes] | int,
        errors: IO[bytes] | int,
        environment: Mapping[str, str] | None,
        directory: Path | None,
        own_group: bool,
    ) -> None:
        self.command = command
        self.output = output
        self.errors = errors
        self.environment = environment
        self.directory = directory
        self.own_group = own_group

    def start(self) -> subprocess.Popen[bytes]:
        command = list(self.command)
        if sys.platform == "linux":
            command = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.errors,
            env=self.environment,
            cwd=self.directory,
            process_group=0 if self.own_group else None,
        )


def _serve_requests() -> None:
    while True:
        request, answer = _requests.get()
        try:
            answer.set_result(request.start())
        except BaseException as error:
            answer.set_exception(error)


def start(
    command: Sequence[str],
    *,
    output: IO[bytes] | int,
    errors: IO[bytes] | int = subprocess.STDOUT,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    own_group: bool = True,
) -> subprocess.Popen[bytes]:
    """Start a child that is killed when this process ends.

    Args:
        command: The program and its arguments.
        output: Where its standard output goes: a file, or `subprocess.PIPE`.
        errors: Where its standard error goes: to the same place when not given.
        environment: Its whole environment; this process's when not given.
        directory: Its working directory; this process's when not given.
        own_group: Give it a process group of its own, so that Ctrl-C on the terminal does not reach it.

    Returns:
        The running process.

    Raises:
        OSError: The launcher itself cannot be started.
    """
    global _starter
    with _starter_lock:
        if _starter is None:
            _starter = threading.Thread(target=_serve_requests, name="child-processes", daemon=True)
            _starter.start()
    answer: Future[subprocess.Popen[bytes]] = Future()
    _requests.put((_Request(command, output, errors, environment, directory, own_group), answer))
    return answer.result()


def stop(process: subprocess.Popen[bytes], *, within_seconds: float) -> None:
    """Ask a child to end, and kill it when it has not ended in time. Safe on one that has ended already."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(within_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
