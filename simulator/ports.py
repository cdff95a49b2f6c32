"""The loopback ports of one simulated cluster: chosen once, kept for its next start."""

from __future__ import annotations

import itertools
import json
import random
import socket
import time
from collections.abc import Sequence
from pathlib import Path

_PORTS = range(20000, 32000)
"""Below the range that Linux takes for outgoing connections, so that a port is still free at a restart."""
_LIMIT_SECONDS = 3.0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def ensure_ports(kept: Path, count: int) -> Sequence[int]:
    """Return the ports of the last time, unless somebody else has taken one.

    Args:
        kept: The file that remembers them.
        count: How many are needed. When more are needed than the last time, those of then keep their places.
    """
    ports: list[int] = json.loads(kept.read_text()) if kept.exists() else []
    deadline = time.monotonic() + _LIMIT_SECONDS  # a part that was just killed may still hold its own
    while not all(map(_is_free, ports)) and time.monotonic() < deadline:
        time.sleep(0.05)
    if not all(map(_is_free, ports)):
        ports = []
    if len(ports) < count:
        candidates = (port for port in random.sample(_PORTS, len(_PORTS)) if port not in ports and _is_free(port))
        ports += itertools.islice(candidates, count - len(ports))
        temporary = kept.with_suffix(".new")
        temporary.write_text(json.dumps(ports))
        temporary.replace(kept)
    return ports
