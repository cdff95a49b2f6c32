"""What starts and stops our supervisor: systemd or launchd of the user where they work, else we do."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Protocol

import infra
from infra.local.failures import LocalError
from infra.local.supervisor import STOP_SECONDS, end_leftover, leftover
from infra.local.units import label, launchd_agent, systemd_unit, unit_name

PACKAGE_ROOT = Path(infra.__file__).resolve().parents[1]


class Manager(Protocol):
    """One way to keep the supervisor running."""

    name: str

    def start(self, stack: str, folder: Path) -> None:
        """Start it, and with every login from now on where that is possible."""

    def stop(self, stack: str, folder: Path) -> None:
        """Stop it, and leave nothing behind."""


class OwnProcess:
    """A process in a session of its own: it outlives the engine and the terminal, but not the machine."""

    name = "supervisor"

    def start(self, stack: str, folder: Path) -> None:  # noqa: ARG002
        """Start it."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(PACKAGE_ROOT)}
        with (folder / "supervisor.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "infra.local.supervisor", str(folder)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def stop(self, stack: str, folder: Path) -> None:  # noqa: ARG002
        """Stop it."""
        end(folder)


class Systemd:
    """A unit of the user's systemd."""

    name = "systemd"

    def start(self, stack: str, folder: Path) -> None:
        """Write the unit, and start it."""
        path = self._path(stack)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(systemd_unit(stack, sys.executable, PACKAGE_ROOT, folder), encoding="utf-8")
        _call("systemctl", "--user", "daemon-reload")
        _call("systemctl", "--user", "enable", unit_name(stack))
        _call("systemctl", "--user", "restart", unit_name(stack))

    def stop(self, stack: str, folder: Path) -> None:
        """Stop it, and remove the unit."""
        if self._path(stack).exists():
            _call("systemctl", "--user", "disable", "--now", unit_name(stack))
            self._path(stack).unlink()
            _call("systemctl", "--user", "daemon-reload")
        end(folder)

    def _path(self, stack: str) -> Path:
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        return config / "systemd" / "user" / unit_name(stack)


class Launchd:
    """An agent of the user's launchd."""

    name = "launchd"

    def start(self, stack: str, folder: Path) -> None:
        """Write the agent, and start it."""
        path = self._path(stack)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(launchd_agent(stack, sys.executable, PACKAGE_ROOT, folder), encoding="utf-8")
        _call("launchctl", "bootstrap", self._domain, str(path))

    def stop(self, stack: str, folder: Path) -> None:
        """Stop it, and remove the agent."""
        if self._path(stack).exists():
            _call("launchctl", "bootout", f"{self._domain}/{label(stack)}", expect=(0, 3, 5, 36))
            self._path(stack).unlink()
        end(folder)

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    def _path(self, stack: str) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{label(stack)}.plist"


MANAGERS: dict[str, Manager] = {one.name: one for one in (OwnProcess(), Systemd(), Launchd())}


def choose() -> Manager:
    """What this machine has."""
    if sys.platform == "darwin" and shutil.which("launchctl"):
        return MANAGERS["launchd"]
    if shutil.which("systemctl"):
        asked = subprocess.run(
            ["systemctl", "--user", "show-environment"], capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
        if asked.returncode == 0:
            return MANAGERS["systemd"]
    return MANAGERS["supervisor"]


def is_held(folder: Path) -> bool:
    """Whether a supervisor lives: it holds its lock for life."""
    try:
        lock = os.open(folder / "supervisor.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def status(folder: Path) -> dict[str, Any]:
    """What the supervisor last said; empty where it said nothing."""
    try:
        known: dict[str, Any] = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known


def end(folder: Path) -> None:
    """End a supervisor and its server, whoever started them."""
    deadline = time.monotonic() + STOP_SECONDS + 5
    signalled = False
    while is_held(folder):
        pid = status(folder).get("supervisor")
        late = time.monotonic() > deadline
        if pid and (late or not signalled):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
            signalled = True
        if time.monotonic() > deadline + 5:
            raise LocalError(f"the supervisor in {folder} does not end; stop process {pid} by hand.")
        time.sleep(0.02)
    end_leftover(folder, leftover(folder))


def _call(*command: str, expect: tuple[int, ...] = (0,)) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode not in expect:
        raise LocalError(f"{' '.join(command)} failed ({done.returncode}): {(done.stderr or done.stdout).strip()}")
