"""The pre-stop of engines without a documented stop, run by a real shell on the kernel's own table of connections."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from infra.frameworks.drain import wait_until_unused
from infra.pipeline import Endpoint, build
from infra.plan.quantities import Timing
from tests.unit.files import ENGINES, Files, endpoint

HOSTS = ["127.0.0.1", "::1"]


def planned(framework: str, capacity: str) -> Endpoint:
    name = f"gemma4-31b-h100-{framework}"
    text = endpoint("gemma-4-31b-it", "h100", framework, ENGINES[framework], f"capacity: [{capacity}]")
    built = build(name, Files(**{name: text}))
    assert isinstance(built, Endpoint)
    return built


def run(timing: Timing, port: int, folder: Path) -> int:
    """Seconds that the script takes on a clock that only `sleep` moves."""
    clock, bin_folder = folder / "clock", folder / "bin"
    bin_folder.mkdir(exist_ok=True)
    clock.write_text("1000", encoding="utf-8")
    commands = {"date": f"cat {clock}", "sleep": f"now=$(cat {clock}); echo $((now + $1)) > {clock}"}
    for name, text in commands.items():
        (bin_folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    handler = wait_until_unused(timing, port)
    command = handler["exec"]["command"]  # type: ignore[index]
    done = subprocess.run(
        command, env={"PATH": f"{bin_folder}:/usr/bin:/bin"}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return int(clock.read_text(encoding="utf-8")) - 1000


@pytest.mark.parametrize("host", HOSTS)
def test_a_connection_to_the_engine_is_waited_for_and_only_then(host: str, tmp_path: Path) -> None:
    timing = planned("trtllm", "flex-start").plan.timing
    try:
        server = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        pytest.skip(f"no {host} here")
    with server:
        port = server.getsockname()[1]
        assert run(timing, port, tmp_path) == timing.pre_stop_seconds, "listening is no connection"
        with socket.create_connection((host, port)), server.accept()[0]:
            assert run(timing, port, tmp_path) == timing.pre_stop_seconds + timing.drain_seconds
        with socket.create_server(("127.0.0.1", 0)) as other, socket.create_connection(other.getsockname()):
            assert run(timing, port, tmp_path) == timing.pre_stop_seconds, "another port is not the engine's"


@pytest.mark.parametrize("framework", sorted(ENGINES))
@pytest.mark.parametrize("capacity", ["flex-start", "spot"])
def test_the_wait_is_over_within_the_grace_period(framework: str, capacity: str) -> None:
    one = planned(framework, capacity)
    assert one.workload.pre_stop == wait_until_unused(one.plan.timing, one.workload.port)
    grace = one.workload.termination_grace_period_seconds
    assert one.plan.timing.pre_stop_seconds + one.plan.timing.drain_seconds < grace
    assert capacity != "spot" or grace <= 15
