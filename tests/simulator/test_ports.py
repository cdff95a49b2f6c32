from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from simulator import ports
from simulator.ports import ensure_ports


def test_a_cluster_keeps_its_ports_and_gets_what_a_newer_version_needs_besides(tmp_path: Path) -> None:
    kept = tmp_path / "ports.json"
    three = list(ensure_ports(kept, 3))
    four = list(ensure_ports(kept, 4))
    assert four[:3] == three
    assert len(set(four)) == 4
    assert json.loads(kept.read_text()) == four
    assert list(ensure_ports(kept, 4)) == four


def test_a_port_that_somebody_else_has_taken_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_LIMIT_SECONDS", 0.1)
    kept = tmp_path / "ports.json"
    before = ensure_ports(kept, 4)
    with socket.socket() as other:
        other.bind(("127.0.0.1", before[3]))
        other.listen()
        after = ensure_ports(kept, 4)
    assert before[3] not in after
    assert len(set(after)) == 4
