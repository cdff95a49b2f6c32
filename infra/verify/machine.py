"""A service of this machine beside the one that its plan makes: process, arguments, and what the engine says."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from infra.frameworks.host_service import HostService
from infra.local import managers
from infra.local.home import data_folder
from infra.plan.serving_plan import ServingPlan
from infra.smoke.run import Target
from infra.verify.engine import ask_engine
from infra.verify.rows import Row, compared, unread, words_apart


def verify_service(plan: ServingPlan, service: HostService, target: Callable[[], Target]) -> list[Row]:
    """Compare with what runs.

    Args:
        plan: of the endpoint.
        service: that its plan makes.
        target: tells where it is called, and with which key: there is one only once it runs.
    """
    folder, again = data_folder() / "services" / plan.stack, f"pulumi up --refresh -s {plan.stack}"
    if not managers.is_held(folder):
        return [compared("service", "runs", "none runs", f"pulumi up -s {plan.stack}")]
    rows = [compared("service", "runs", "runs", "")]
    words = _words(managers.status(folder).get("server"))
    if words is None:
        rows.append(unread("arguments", f"{len(service.arguments)} words", "the server is not up: see its log"))
    elif words == list(service.arguments):
        rows.append(compared("arguments", f"{len(words)} words", f"{len(words)} words", again))
    else:
        ours, theirs = words_apart(list(service.arguments), words)
        rows.append(compared("arguments", ours, theirs, again, same=False))
    for one in service.files:
        there = (data_folder() / one.path).is_file()
        rows.append(compared(f"weights {one.path}", "there", "there" if there else "absent", again))
    return [*rows, *ask_engine(plan, target())]


def _words(pid: object) -> list[str] | None:
    """Arguments of a process as the system has them; None where there is no such process."""
    if not isinstance(pid, int):
        return None
    try:
        whole = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
        return whole.rstrip("\0").split("\0")[1:]
    except OSError:
        pass
    command = ["ps", "-ww", "-o", "args=", "-p", str(pid)]  # macOS; its words are told apart at blanks
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout
        return shlex.split(said)[1:] or None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
