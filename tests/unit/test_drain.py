"""The pre-stop script of llama.cpp, run by a real shell with a clock and a server of ours."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.pipeline import Endpoint, build
from tests.unit.files import Files, endpoint

# Reservations are planned, but not deployed.
CAPACITIES = sorted({*load_catalog().accelerators["l4"].machines[0].capacity} - {"reservation"})
BUSY = "llamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n"
IDLE = "llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\n"
CURL_SECONDS = 1  # longest answer that the script waits for


def planned(capacity: str) -> Endpoint:
    text = endpoint("gemma-4-12b-it", "l4", "llamacpp", f"capacity: [{capacity}]")
    built = build("gemma4-12b-l4-llamacpp", Files(gemma4_12b_l4_llamacpp=text))
    assert isinstance(built, Endpoint)
    return built


def run(script: str, folder: Path, metrics: str) -> int:
    """Seconds that the script takes on a clock that only `sleep` and `curl` move."""
    clock, bin_folder = folder / "clock", folder / "bin"
    bin_folder.mkdir()
    clock.write_text("1000", encoding="utf-8")
    (folder / "metrics").write_text(metrics, encoding="utf-8")
    move = f"#!/bin/sh\nnow=$(cat {clock}); echo $((now + %s)) > {clock}\n"
    commands = {
        "date": f"#!/bin/sh\ncat {clock}\n",
        "sleep": move % "$1",
        "curl": (move % CURL_SECONDS) + f"cat {folder}/metrics\n",
    }
    for name, text in commands.items():
        (bin_folder / name).write_text(text, encoding="utf-8")
        (bin_folder / name).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", script],
        env={"PATH": f"{bin_folder}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return int(clock.read_text(encoding="utf-8")) - 1000


@pytest.mark.parametrize("capacity", CAPACITIES)
@pytest.mark.parametrize("metrics", [BUSY, "", "not a metric\n"], ids=["busy", "silent", "garbage"])
def test_a_server_that_stays_busy_and_slow_is_left_within_the_grace_period(
    capacity: str, metrics: str, tmp_path: Path
) -> None:
    built = planned(capacity)
    script = built.workload.pre_stop["exec"]["command"][2]
    timing = built.plan.timing
    assert f" -m {CURL_SECONDS} " in script
    waited = run(script, tmp_path, metrics)
    assert timing.pre_stop_seconds + timing.drain_seconds <= waited < built.workload.termination_grace_period_seconds


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_an_idle_server_is_left_at_once(capacity: str, tmp_path: Path) -> None:
    built = planned(capacity)
    waited = run(built.workload.pre_stop["exec"]["command"][2], tmp_path, IDLE)
    assert waited == built.plan.timing.pre_stop_seconds + CURL_SECONDS
