"""The agent of launchd: its property list, and starting and stopping it.

An agent of the user, not a daemon of the system: it needs no root on the machine, and its files are the user's. It is
loaded into the session at the screen where there is one, else into the user's own domain, and macOS loads it at login.
"""

from __future__ import annotations

import os
import plistlib
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infra.host.remote.failures import HostError

_THROTTLE_SECONDS, _TRIES = 10, 20
_PENDING = (5, 37)
"""launchd's `Input/output error` and `Operation already in progress`: the last one of that name is not gone yet."""


def label(stack: str) -> str:
    """Of the agent."""
    return f"dev.servestack.{stack}"


def path(stack: str) -> Path:
    """Where its property list is."""
    return Path.home() / "Library" / "LaunchAgents" / f"{label(stack)}.plist"


def agent(stack: str, folder: Path, words: Sequence[str], stop_seconds: int) -> dict[str, Any]:
    """The property list.

    Args:
        stack: its name.
        folder: of the service.
        words: what runs.
        stop_seconds: how long it may take to end.
    """
    return {
        "Label": label(stack),
        "ProgramArguments": list(words),
        "WorkingDirectory": str(folder),
        "EnvironmentVariables": {"PYTHONPATH": str(folder / "program"), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": _THROTTLE_SECONDS,
        "ExitTimeOut": stop_seconds,
        "Umask": 0o077,
        "ProcessType": "Interactive",
        "LimitLoadToSessionType": ["Aqua", "Background"],
        "StandardOutPath": str(folder / "launchd.log"),
        "StandardErrorPath": str(folder / "launchd.log"),
    }


def written(stack: str) -> dict[str, Any] | None:
    """The property list that is there; None where there is none."""
    try:
        found: dict[str, Any] = plistlib.loads(path(stack).read_bytes())
    except (OSError, plistlib.InvalidFileException, ValueError):
        return None
    return found


def start(stack: str, wanted: dict[str, Any]) -> None:
    """Write the property list, and load it.

    Raises:
        HostError: launchd refuses it.
    """
    file = path(stack)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(plistlib.dumps(wanted))
    file.chmod(0o600)
    domain = _domain()
    for _ in range(_TRIES):
        done = _call("bootstrap", domain, str(file))
        if done.returncode not in _PENDING:
            break
        time.sleep(0.5)
    if done.returncode:
        raise HostError(f"launchctl bootstrap {domain} failed ({done.returncode}): {_said(done)}")


def stop(stack: str, most_seconds: int) -> None:
    """Unload it and remove its property list; nothing where it is not there.

    Raises:
        HostError: it does not end.
    """
    deadline = time.monotonic() + most_seconds + 15
    for domain in _domains():
        target = f"{domain}/{label(stack)}"
        if _call("print", target).returncode:
            continue
        done = _call("bootout", target)
        while not _call("print", target).returncode:
            if time.monotonic() > deadline:
                raise HostError(f"launchctl bootout {target} does not end it ({done.returncode}): {_said(done)}")
            time.sleep(0.1)
    path(stack).unlink(missing_ok=True)


def is_loaded(stack: str) -> bool:
    """Whether launchd has it."""
    return any(not _call("print", f"{domain}/{label(stack)}").returncode for domain in _domains())


def _domains() -> tuple[str, str]:
    return f"gui/{os.getuid()}", f"user/{os.getuid()}"


def _domain() -> str:
    gui, user = _domains()
    return user if _call("print", gui).returncode else gui


def _call(*words: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            ["launchctl", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
        )
    except FileNotFoundError:
        raise HostError("this machine has no launchctl: is it a Mac?") from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr or done.stdout).strip()[:500]
