"""Run the remote program on a machine, over the system's `ssh`.

The command is a constant and the program comes over standard input, with what is wanted as a literal of JSON in it:
nothing of a stack file becomes a word of a shell. The machine's key must be known: nothing is trusted at first sight.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.host.remote.failures import HostError, last_lines

CONFIG_VARIABLE = "SERVESTACK_SSH_CONFIG"
"""Names another configuration of `ssh` than the user's."""
ADDRESS = re.compile(r"([a-z_][a-z0-9_-]{0,31}@)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
NO_PYTHON = 87
_MODULES = ("failures", "limits", "gateway", "serve", "environment", "launchd", "weights", "main")
PROGRAM = ("__init__", "remote/__init__", "remote/limits", "remote/gateway", "remote/serve")
"""Modules of `infra.host` that stay on the machine, for the service itself."""
_FOLDER = Path(__file__).parent
_OPTIONS = (
    "-T",
    "-oBatchMode=yes",
    "-oStrictHostKeyChecking=yes",
    "-oConnectTimeout=15",
    "-oServerAliveInterval=15",
    "-oServerAliveCountMax=4",
    "-oForwardAgent=no",
    "-oForwardX11=no",
    "-oClearAllForwardings=yes",
    "-oLogLevel=ERROR",
)
# Python from Homebrew and python.org is not on the PATH of a command over SSH; macOS' own is 3.9, too old for MLX.
_COMMAND = (
    "/bin/sh -c 'PATH=$PATH:/opt/homebrew/bin:/usr/local/bin; export PATH; "
    "for one in python3.13 python3.12 python3.11 python3; do "
    'if "$one" -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" </dev/null >/dev/null 2>&1; '
    f'then exec "$one" -; fi; done; exit {NO_PYTHON}\''
)
_LOADER = """\
import json, sys, types
for name in ("infra", "infra.host", "infra.host.remote"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
for name, text in json.loads({sources}):
    module = types.ModuleType("infra.host.remote." + name)
    sys.modules[module.__name__] = module
    setattr(sys.modules["infra.host.remote"], name, module)
    exec(compile(text, "servestack/" + name + ".py", "exec"), module.__dict__)
sys.modules["infra.host.remote.main"].main({order}, json.loads({wanted}))
"""


def do(address: str, order: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Run `up`, `look` or `down` on a machine.

    Args:
        address: `[USER@]HOST`.
        order: what to do.
        wanted: the service's fields.

    Raises:
        HostError: the machine cannot be reached, or it was not done.
    """
    if not ADDRESS.fullmatch(address):
        raise HostError("this is no SSH address: it is [USER@]HOST, in letters, digits, dots and hyphens.")
    config = os.environ.get(CONFIG_VARIABLE)
    command = ["ssh", *(["-F", config] if config else []), *_OPTIONS, "--", address, _COMMAND]
    try:
        done = subprocess.run(command, input=program(order, wanted).encode(), capture_output=True, check=False)
    except FileNotFoundError:
        raise HostError("ssh is not on PATH; install OpenSSH's client.") from None
    said = done.stderr.decode(errors="replace")
    if done.returncode == NO_PYTHON:
        raise HostError(
            f"{address} has no Python 3.11, 3.12 or 3.13. Install one there, such as: brew install python@3.13"
        )
    if done.returncode == 255:
        raise HostError(_unreached(address, said))
    try:
        answer: dict[str, Any] = json.loads(done.stdout.decode().strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise HostError(f"{address} ended with {done.returncode} before it was done.{last_lines(said)}") from None
    if "error" in answer:
        raise HostError(str(answer["error"]))
    return answer


def program(order: str, wanted: Mapping[str, Any]) -> str:
    """The remote program as one text, with what is wanted in it."""
    sources = [(name, (_FOLDER / "remote" / f"{name}.py").read_text(encoding="utf-8")) for name in _MODULES]
    kept = {
        "infra/__init__.py": "",
        **{f"infra/host/{name}.py": (_FOLDER / f"{name}.py").read_text(encoding="utf-8") for name in PROGRAM},
    }
    data = {**wanted, "program": kept}
    return _LOADER.format(sources=ascii(json.dumps(sources)), order=ascii(order), wanted=ascii(json.dumps(data)))


def _unreached(address: str, said: str) -> str:
    host = address.rpartition("@")[2]
    if "IDENTIFICATION HAS CHANGED" in said:
        why = f"its key is not the one that is known. If the machine was set up anew: ssh-keygen -R {host}"
    elif "Host key verification failed" in said or "host key is known" in said:
        why = f"its key is not known here. Connect once by hand and compare it: ssh {address}"
    elif "Permission denied" in said:
        why = f"it refuses our key. Allow it once: ssh-copy-id {address} (System Settings, Sharing, Remote Login is on)"
    else:
        why = "it is not reached. Is it on, awake, in this network, and Remote Login on?"
    return f"{address}: {why}{last_lines(said, 5)}"
