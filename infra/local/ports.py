"""Whether a port of loopback is free, and who has it where it is not."""

from __future__ import annotations

import errno
import shutil
import socket
import subprocess
from pathlib import Path

from infra.local.failures import LocalError

_LISTEN = "0A"  # TCP_LISTEN, include/net/tcp_states.h


def check(port: int) -> None:
    """See that a server can listen.

    Raises:
        LocalError: it cannot; with the process that has the port, where the system tells.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as refused:
            if refused.errno != errno.EADDRINUSE:
                raise LocalError(
                    f"port {port} cannot be used: {refused.strerror}. Write another expose.port."
                ) from None
            raise LocalError(
                f"port {port} is in use by {holder(port)}. Stop it, or write another expose.port."
            ) from None


def holder(port: int) -> str:
    """Process that listens on a port, as far as the system tells."""
    pid = _pid_from_proc(port) or _pid_from_lsof(port)
    if pid is None:
        return "another process, of another user perhaps"
    shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    words = shown.stdout.split()
    return f"process {pid} ({Path(words[0]).name})" if words else f"process {pid}"


def _pid_from_proc(port: int) -> int | None:
    """By the socket's inode, as /proc shows it (proc(5))."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = (Path("/proc/net") / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            return None
        for row in rows:
            words = row.split()
            if words[3] == _LISTEN and int(words[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{words[9]}]")
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(link.readlink()) in inodes:
                return int(link.parts[2])
        except OSError:
            continue
    return None


def _pid_from_lsof(port: int) -> int | None:
    if shutil.which("lsof") is None:
        return None
    command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return int(found[0]) if found else None
