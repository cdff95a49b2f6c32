"""Alert rules in Prometheus' own engine: each fires on the trouble that it is made for, and not just below it.

Needs `promtool` on the PATH: go install -tags remove_all_sd github.com/prometheus/prometheus/cmd/promtool@v0.316.0
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.catalog.loader import load_catalog
from infra.pipeline import Endpoint
from infra.watch.monitor import shared_alerts
from tests.unit.test_watch import rules, watched

PROMTOOL = shutil.which("promtool")
pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="needs promtool")
STACK = "gemma4-e4b-l4"


def series(name: str, values: str, pod: str = "a", **labels: str) -> dict[str, str]:
    pairs = {"stack": STACK, "pod": pod, **labels}
    matchers = ",".join(f'{key}="{value}"' for key, value in pairs.items())
    return {"series": f"{name}{{{matchers}}}", "values": values}


def answers(status: str, growth: int) -> dict[str, str]:
    return series("http_requests_total", f"0+{growth}x60", status=status)


def ended(reason: str, growth: int) -> dict[str, str]:
    return series("vllm:request_success_total", f"0+{growth}x60", finished_reason=reason)


def bucket(name: str, limit: str, growth: int) -> dict[str, str]:
    return series(f"vllm:{name}_seconds_bucket", f"0+{growth}x60", le=limit)


UP, RUNNING, STEPS = "up", "vllm:num_requests_running", "vllm:iteration_tokens_total_count"
WAITING, TOKENS = "vllm:num_requests_waiting", "vllm:generation_tokens_total"
# Readings every 30 s, when the alert is asked for, its name, and what it says beside its own labels each time it fires.
CASES: dict[str, tuple[list[dict[str, str]], str, str, list[dict[str, str]]]] = {
    "no engine answers": ([series(UP, "0x200")], "90m", "NoReadyReplica", [{}]),
    "nothing was ever there": ([], "90m", "NoReadyReplica", [{}]),
    "it starts": ([series(UP, "0x10 1x100")], "12m", "NoReadyReplica", []),
    "one of two answers": ([series(UP, "1x200"), series(UP, "0x200", "b")], "90m", "ReplicaMissing", [{}]),
    "both answer": ([series(UP, "1x200"), series(UP, "1x200", "b")], "90m", "ReplicaMissing", []),
    "three restarts": ([series(UP, "1x9 0 0 1x9 0 0 1x9 0 1x30")], "30m", "EngineRestarts", [{"pod": "a"}]),
    "two restarts": ([series(UP, "1x9 0 0 1x9 0 0 1x40")], "30m", "EngineRestarts", []),
    "a full round waits": ([series(UP, "1x60"), series(WAITING, "4x60")], "20m", "QueueGrowing", [{}]),
    "fewer wait": ([series(UP, "1x60"), series(WAITING, "3x60")], "20m", "QueueGrowing", []),
    "a burst": ([series(UP, "1x60"), series(WAITING, "9x4 0x50")], "20m", "QueueGrowing", []),
    "cache full": ([series("vllm:kv_cache_usage_perc", "0.97x60")], "20m", "KvCacheFull", [{"pod": "a"}]),
    "cache used": ([series("vllm:kv_cache_usage_perc", "0.9x60")], "20m", "KvCacheFull", []),
    "preempted": ([series("vllm:num_preemptions_total", "0+6x60")], "20m", "Preemptions", [{"pod": "a"}]),
    "hung": ([series(RUNNING, "2x60"), series(STEPS, "50x60")], "20m", "EngineStalled", [{"pod": "a"}]),
    "at work": ([series(RUNNING, "2x60"), series(STEPS, "0+3x60")], "20m", "EngineStalled", []),
    "at rest": ([series(RUNNING, "0x60"), series(STEPS, "50x60")], "20m", "EngineStalled", []),
    "server errors": ([answers("2xx", 90), answers("5xx", 10)], "25m", "ErrorAnswers", [{}]),
    "clients' errors": ([answers("2xx", 90), answers("4xx", 10)], "25m", "ErrorAnswers", []),
    "no answers at all": ([answers("2xx", 0), answers("5xx", 0)], "25m", "ErrorAnswers", []),
    "callers leave": ([ended("stop", 8), ended("abort", 2)], "25m", "AbortedRequests", [{}]),
    "long answers": ([ended("stop", 8), ended("length", 2)], "25m", "AbortedRequests", []),
    "slow first tokens": (
        [bucket("time_to_first_token", limit, growth) for limit, growth in (("7", 5), ("20", 10), ("+Inf", 10))],
        "25m",
        "FirstTokenSlow",
        [{}],
    ),
    "slow tokens": (
        [bucket("inter_token_latency", limit, growth) for limit, growth in (("0.2", 5), ("1", 10), ("+Inf", 10))],
        "25m",
        "TokensSlow",
        [{}],
    ),
    "idle": ([series(RUNNING, "0x900"), series(TOKENS, "7x900")], "7h", "IdleAccelerators", [{}]),
    "short requests between scrapes": (
        [series(RUNNING, "0x900"), series(TOKENS, "0+1x900")],
        "7h",
        "IdleAccelerators",
        [],
    ),
}


@pytest.fixture(scope="module")
def endpoint() -> Endpoint:
    return watched("", "replicas: {min: 2}", "concurrency: 3", "contextLength: 8192")


def run(*words: str) -> None:
    assert PROMTOOL
    done = subprocess.run([PROMTOOL, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("framework", load_catalog().metrics)
def test_prometheus_accepts_the_rules_of_every_framework(framework: str, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(shared_alerts(load_catalog().metrics[framework])), encoding="utf-8")
    run("check", "rules", "--lint=all", "--lint-fatal", str(file))


@pytest.mark.parametrize("case", CASES)
def test_an_alert_fires_on_its_trouble_alone(case: str, endpoint: Endpoint, tmp_path: Path) -> None:
    inputs, when, alert, firing = CASES[case]
    made = [{key: value for key, value in rule.items() if key != "annotations"} for rule in rules(endpoint)]
    own = next(rule["labels"] for rule in made if rule["alert"] == alert)
    expected: list[dict[str, Any]] = [{"exp_labels": own | labels} for labels in firing]
    test = {
        "interval": "30s",
        "input_series": inputs,
        "alert_rule_test": [{"eval_time": when, "alertname": alert, "exp_alerts": expected}],
    }
    groups = {"groups": [{"name": STACK, "interval": "30s", "rules": made}]}
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "30s", "tests": [test]}), encoding="utf-8"
    )
    run("test", "rules", str(tmp_path / "test.yaml"))


def test_every_alert_of_an_endpoint_is_tried(endpoint: Endpoint) -> None:
    assert {rule["alert"] for rule in rules(endpoint)} == {alert for _, _, alert, firing in CASES.values() if firing}
