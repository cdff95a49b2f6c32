"""The pre-stop script of llama.cpp, run by a real shell with a clock and a server of ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog
from infra.pipeline import Endpoint, build
from tests.unit.files import Files, endpoint

# Reservations are planned, but not deployed.
CAPACITIES = sorted({*load_catalog().accelerators["l4"].machines[0].capacity} - {"reservation"})
BUSY = "llamacpp:requests_processing 1\nllamacpp:requests_deferred 0\n"
IDLE = "llamacpp:requests_processing 0\nllamacpp:requests_deferred 0\n"
CURL_SECONDS = 1  # longest answer that the script waits for


# Seconds in which an engine that need not wait any longer has ended (measured on a CPU, and known to no better).
VLLM_TEARDOWN_SECONDS = 4
NOTICE_SECONDS = 15  # what GKE leaves to pods of a Spot machine's 30 s


def planned(capacity: str, framework: str = "llamacpp", *lines: str) -> Endpoint:
    model, name = ("12b", "gemma4_12b_l4_llamacpp") if framework == "llamacpp" else ("e4b", "gemma4_e4b_l4")
    text = endpoint(f"gemma-4-{model}-it", "l4", framework, f"capacity: [{capacity}]", *lines)
    built = build(name.replace("_", "-"), Files(**{name: text}))
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


def rendered(built: Endpoint) -> tuple[dict[str, Any], dict[str, Any], int]:
    """The pod, its engine, and the seconds that the proxy waits for running answers."""
    objects = {(one["kind"], one["metadata"]["name"]): one for one in built.objects()}
    pod = objects["Deployment", built.name]["spec"]["template"]["spec"]
    caddyfile = objects["ConfigMap", f"{built.name}-proxy"]["data"]["Caddyfile"]
    (grace,) = re.findall(r"grace_period (\d+)s", caddyfile)
    return pod, pod["containers"][0], int(grace)


@pytest.mark.parametrize("answer", [(), ("longestAnswerSeconds: 3",), ("longestAnswerSeconds: 600",)], ids=str)
@pytest.mark.parametrize("capacity", CAPACITIES)
def test_vllm_and_its_proxy_stop_within_the_grace_period_and_the_notice(capacity: str, answer: tuple[str, ...]) -> None:
    pod, engine, proxy_seconds = rendered(planned(capacity, "vllm", *answer))
    (shutdown,) = [int(word.partition("=")[2]) for word in engine["args"] if word.startswith("--shutdown-timeout=")]
    sleep, whole = engine["lifecycle"]["preStop"]["sleep"]["seconds"], pod["terminationGracePeriodSeconds"]
    assert shutdown > 0  # with 0 every running answer is cut at once
    assert sleep > 0  # while it drains, vLLM answers new requests with 500
    assert sleep + shutdown + VLLM_TEARDOWN_SECONDS <= whole
    assert proxy_seconds >= shutdown  # the proxy gets its signal after the engine; it must not cut first
    assert proxy_seconds < whole
    if capacity == "spot":
        assert whole <= NOTICE_SECONDS


@pytest.mark.parametrize("capacity", CAPACITIES)
def test_llama_server_is_let_end_its_streams_after_the_wait(capacity: str) -> None:
    """On SIGTERM it ends an open stream at the next ping, by default 30 s later (llama.cpp b11434)."""
    built = planned(capacity)
    pod, engine, proxy_seconds = rendered(built)
    ping = int(engine["args"][engine["args"].index("--sse-ping-interval") + 1])
    timing = built.plan.timing
    left = pod["terminationGracePeriodSeconds"] - timing.pre_stop_seconds - timing.drain_seconds
    slowest_round = CURL_SECONDS + 1
    assert slowest_round + ping <= left
    assert proxy_seconds < pod["terminationGracePeriodSeconds"]
    if capacity == "spot":
        assert pod["terminationGracePeriodSeconds"] <= NOTICE_SECONDS


@pytest.mark.parametrize("framework", ["llamacpp", "vllm"])
@pytest.mark.parametrize(
    ("capacity", "line", "said"),
    [
        ("spot", "longestAnswerSeconds: 5", ""),
        ("spot", "longestAnswerSeconds: 300", "answers of 300 s are cut after 8 s"),
        ("spot", "tools: false", "answers still running 8 s after a stop are cut"),
        ("on-demand", "longestAnswerSeconds: 300", ""),
        ("on-demand", "tools: false", ""),
    ],
)
def test_an_answer_that_a_stop_cuts_is_said_also_where_the_file_names_no_length(
    framework: str, capacity: str, line: str, said: str
) -> None:
    cautions = [one for one in planned(capacity, framework, line).plan.cautions if "cut" in one]
    assert [said in one for one in cautions] == ([True] if said else [])
