"""Autoscaling from the stack file to the object: what is accepted, what is decided, what Kubernetes and KEDA read."""

from __future__ import annotations

import dataclasses
import json
import re
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.cloud.node_pool import accelerator_pool_inputs
from infra.errors import PlanError, SpecError
from infra.frameworks.autoscaling import quantity
from infra.pipeline import Endpoint, build
from infra.plan.scaling import LONGEST_WINDOW_SECONDS, scaling_cautions
from infra.spec.cron import checked_cron
from tests.conftest import ROOT
from tests.unit.files import HOST, Files
from tests.unit.files import endpoint as stack_file
from tests.unit.test_golden import ALL, MORE, find, server

FACTS = ROOT / "tests" / "facts"
CRON = [line.split("\t") for line in (FACTS / "cron-robfig-3.0.1.txt").read_text().splitlines() if line[0] != "#"]
SCALED = [name for name, one in MORE.items() if one.plan.scaling]
BY_KEDA = [name for name in SCALED if MORE[name].platform.autoscaler == "keda"]
KEDA = {
    "apiVersion": "servestack/v1",
    "kind": "Platform",
    "gke": {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}},
    "autoscaler": "keda",
}


@pytest.mark.parametrize(("said", "text"), CRON)
def test_cron_expressions_are_judged_as_the_library_that_keda_uses_judges_them(said: str, text: str) -> None:
    if said == "yes":
        assert checked_cron(text) == text
    else:
        with pytest.raises(ValueError, match="never comes up" if said == "never" else "."):
            checked_cron(text)


@given(st.text(alphabet="0123456789*?/,- abcdefghijklmnopqrstuvwxyzÄ٣\n", max_size=30))
def test_no_text_makes_the_reader_of_cron_fail_in_another_way(text: str) -> None:
    try:
        checked_cron(text)
    except ValueError as refused:
        assert str(refused).endswith(".")


def test_every_time_zone_that_this_machine_knows_is_known() -> None:
    tables = [table for path in zoneinfo.TZPATH if (table := Path(path) / "zone1970.tab").exists()]
    if not tables:
        pytest.skip("no time zone database on this machine")
    lines = [line.split("\t") for line in tables[0].read_text().splitlines() if not line.startswith("#")]
    assert {line[2] for line in lines} <= load_catalog().time_zones


@pytest.mark.parametrize(
    "url",
    [
        "http://a",
        "https://prometheus.monitoring.svc:9090",
        "http://10.0.0.1:80/v1/projects/x/location/global/prometheus",
    ],
)
def test_an_address_of_a_prometheus_is_accepted(url: str) -> None:
    built = build("dev", Files(dev=_platform(url)))
    assert not isinstance(built, Endpoint)
    assert built.spec.prometheus
    assert built.spec.prometheus.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://me:hunter2@a:9090",
        "http://hunter2@a",
        "http://a/?password=hunter2",
        "http://a#hunter2",
        "http://a:0",
        "http://a:70000",
        "ftp://a",
        "http://",
        "http://a b",
        "http://a/{{x}}",
        "http://a\n",
        "http://$(id)",
        "http://a/" + "x" * 400,
        "javascript:alert(1)",
    ],
)
def test_any_other_address_is_refused_and_never_repeated(url: str) -> None:
    with pytest.raises(SpecError) as refused:
        build("dev", Files(dev=_platform(url)))
    assert "hunter2" not in str(refused.value)
    assert "prometheus.url: " in str(refused.value)


def _platform(url: str) -> str:
    return json.dumps(KEDA | {"prometheus": {"url": url}})


@ALL
def test_a_deployment_has_a_number_of_replicas_or_an_autoscaler_and_never_both(endpoint: Endpoint) -> None:
    kinds = {one["kind"] for one in endpoint.objects()}
    scaled = endpoint.plan.scaling is not None
    assert ("replicas" in server(endpoint)) is not scaled
    assert len(kinds & {"HorizontalPodAutoscaler", "ScaledObject"}) == scaled
    assert scaled is (endpoint.spec.replicas.most > endpoint.spec.replicas.min)


@pytest.mark.parametrize("name", SCALED)
def test_the_pool_has_a_machine_for_the_most_replicas(name: str) -> None:
    one = MORE[name]
    assert one.platform.gke
    pool = accelerator_pool_inputs(one.plan, one.platform.gke)
    assert pool["autoscaling"]["totalMaxNodeCount"] == one.spec.replicas.most


@pytest.mark.parametrize("name", SCALED)
def test_windows_fit_the_start_up_time(name: str) -> None:
    plan = MORE[name].plan
    assert plan.scaling
    assert plan.scaling.down.window_seconds >= plan.timing.startup_seconds
    assert plan.scaling.up.period_seconds >= min(plan.timing.startup_seconds, 1800)
    assert plan.scaling.idle_seconds is None or plan.scaling.idle_seconds >= plan.timing.startup_seconds


@pytest.mark.parametrize("name", SCALED)
def test_every_part_of_the_scaling_has_a_reason(name: str) -> None:
    plan = MORE[name].plan
    decided = [one for one in plan.decisions if one.field.startswith("scaling.")]
    assert plan.scaling
    assert len([one for one in decided if one.field == "scaling.signals"]) == len(plan.scaling.signals)
    assert all(one.reason and one.field.split(".")[1] in plan.to_json()["scaling"] for one in decided)


def test_every_metric_is_one_that_the_engine_has() -> None:
    engines = load_catalog().frameworks
    for name in SCALED:
        plan = MORE[name].plan
        assert plan.scaling
        named = {one.metric for one in plan.scaling.signals if one.metric}
        assert named <= set(engines[plan.framework.name].metrics)


def test_an_hpa_names_metrics_as_the_adapter_of_managed_prometheus_does() -> None:
    spec = find(MORE["gemma4-31b-h100-busy"], "HorizontalPodAutoscaler")["spec"]
    assert [(one["type"], one["pods"]["metric"]["name"], one["pods"]["target"]) for one in spec["metrics"]] == [
        (
            "Pods",
            f"prometheus.googleapis.com|vllm:{metric}|gauge",
            {"type": "AverageValue", "averageValue": value},
        )
        for metric, value in (
            ("num_requests_waiting", "5"),
            ("kv_cache_usage_perc", "900m"),
            ("num_requests_running", "256"),
        )
    ]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)


def test_llamacpp_is_followed_by_its_slots_and_has_no_cache_gauge() -> None:
    spec = find(MORE["gemma4-12b-l4-llamacpp-hours"], "ScaledObject")["spec"]
    queries = [one["metadata"]["query"] for one in spec["triggers"] if one["type"] == "prometheus"]
    place = '{namespace="gemma4-12b-l4-llamacpp-hours"}'
    assert queries == [f"sum(llamacpp:requests_processing{place})", f"sum(llamacpp:requests_deferred{place})"]


def test_a_cache_counts_once_per_replica_however_many_ranks_tell_it() -> None:
    triggers = find(MORE["gemma4-31b-h200-cache"], "ScaledObject")["spec"]["triggers"]
    by_name = {one["name"]: one["metadata"]["query"] for one in triggers}
    place = '{namespace="gemma4-31b-h200-cache"}'
    assert by_name["kv-cache"] == f"sum(max by (pod) (vllm:kv_cache_usage_perc{place}))"
    assert by_name["queue"] == f"sum(vllm:num_requests_waiting{place})"


def test_nothing_sleeps_on_a_machine_of_ones_own() -> None:
    text = stack_file("gemma-4-e4b-it", "apple-64gb", "llamacpp", "replicas: {min: 0, max: 1}")
    with pytest.raises(PlanError, match="at 0 replicas every request is lost"):
        build("gemma4-e4b-apple-64gb-llamacpp", Files(dev=HOST, gemma4_e4b_apple_64gb_llamacpp=text))


@pytest.mark.parametrize("name", BY_KEDA)
def test_a_lost_prometheus_is_an_error_and_no_load_of_nothing(name: str) -> None:
    spec = find(MORE[name], "ScaledObject")["spec"]
    load = [one for one in spec["triggers"] if one["type"] == "prometheus"]
    assert all(one["metadata"]["ignoreNullValues"] == "false" for one in load)
    assert bool(load) is ("fallback" in spec), "at zero replicas a fallback would start one"
    names = [one["name"] for one in spec["triggers"]]
    assert len(set(names)) == len(names)


def test_a_schedule_is_a_floor_beside_the_load() -> None:
    triggers = find(MORE["gemma4-12b-l4-llamacpp-hours"], "ScaledObject")["spec"]["triggers"]
    floors = [one["metadata"] for one in triggers if one["type"] == "cron"]
    assert floors[0] == {
        "timezone": "Europe/Berlin",
        "start": "0 7 * * mon-fri",
        "end": "0 19 * * mon-fri",
        "desiredReplicas": "2",
    }
    assert any(one["type"] == "prometheus" for one in triggers)


def test_an_endpoint_that_may_sleep_is_called_through_what_holds_requests() -> None:
    one = MORE["gemma4-e4b-l4-asleep"]
    (wake,) = [obj for obj in one.objects() if obj["metadata"]["name"] == "gemma4-e4b-l4-asleep-wake"]
    host = "gemma4-e4b-l4-asleep-wake.gemma4-e4b-l4-asleep.svc.cluster.local"
    assert wake["spec"]["type"] == "ExternalName"
    assert dict(one.workload.client_environment)["OPENAI_BASE_URL"] == f"http://{host}:8080/v1"
    assert host in find(one, "InterceptorRoute")["spec"]["rules"][0]["hosts"]
    waits = find(one, "ScaledObject")["spec"]["initialCooldownPeriod"]
    assert waits == one.plan.timing.timeout_seconds, "the first start is proved before the endpoint may sleep"
    kinds = [obj["kind"] for obj in one.objects()]
    assert kinds.index("InterceptorRoute") < kinds.index("ScaledObject")
    assert one.plan.cost.monthly_usd_min == 0
    assert any("interceptor starts a machine" in said for said in one.plan.cautions)


def schema(file: str) -> dict[str, tuple[str, set[str], set[str]]]:
    """Type, needed keys and allowed words of each path."""
    rows: dict[str, tuple[str, set[str], set[str]]] = {}
    for line in (FACTS / file).read_text().splitlines():
        if line.startswith("#"):
            continue
        path, kind, *more = line.split(" ")
        said = {key: set(words.split(",")) for key, words in (one.split("=") for one in more)}
        rows[path] = (kind, said.get("required", set()), said.get("one-of", set()))
    return rows


def faults(node: Any, path: str, rows: dict[str, tuple[str, set[str], set[str]]]) -> list[str]:
    """What a CRD's schema would refuse or drop."""
    parent = path.rpartition(".")[0]
    kind, needed, words = rows.get(path) or rows.get(f"{parent}.*", ("unknown", set(), set()))
    types = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}
    if kind == "unknown" or not isinstance(node, types.get(kind, object)) or (words and node not in words):
        return [path]
    if isinstance(node, dict):
        lost = [f"{path}.{key}" for key in needed - node.keys()]
        return lost + [one for key, value in node.items() for one in faults(value, f"{path}.{key}", rows)]
    return [one for item in node for one in faults(item, f"{path}[]", rows)] if isinstance(node, list) else []


@pytest.mark.parametrize("name", BY_KEDA)
def test_keda_has_every_field_that_is_rendered(name: str) -> None:
    for kind, file in (
        ("ScaledObject", "keda-2.21.0-scaledobject.txt"),
        ("InterceptorRoute", "keda-http-add-on-interceptorroute.txt"),
    ):
        for one in (obj for obj in MORE[name].objects() if obj["kind"] == kind):
            assert faults(one["spec"], "spec", schema(file)) == []


def test_the_check_of_fields_can_fail() -> None:
    spec = find(MORE["gemma4-12b-l4-llamacpp-hours"], "ScaledObject")["spec"]
    wrong = spec | {"minReplicas": 1, "maxReplicaCount": "4", "fallback": {"replicas": 1, "behavior": "never"}}
    assert sorted(faults(wrong, "spec", schema("keda-2.21.0-scaledobject.txt"))) == [
        "spec.fallback.behavior",
        "spec.fallback.failureThreshold",
        "spec.maxReplicaCount",
        "spec.minReplicas",
    ]


@given(st.floats(0.01, 1024))
def test_a_quantity_is_what_kubernetes_reads_back_as_the_number(value: float) -> None:
    text = quantity(value)
    assert re.fullmatch(r"[1-9][0-9]*m?", text)
    assert abs((int(text[:-1]) / 1000 if text.endswith("m") else int(text)) - value) <= 0.0005


def test_a_replica_that_starts_slower_than_kubernetes_looks_back_is_a_caution() -> None:
    slow = build("gemma4-e4b-l4", Files(gemma4_e4b_l4=stack_file("gemma-4-e4b-it", "l4", "vllm", "replicas: {max: 2}")))
    assert isinstance(slow, Endpoint)
    assert not [one for one in slow.plan.cautions if "look" in one]
    times = dataclasses.replace(slow.plan.timing, startup_seconds=LONGEST_WINDOW_SECONDS + 1)
    assert "Kubernetes looks back 3,600 s at most" in scaling_cautions(slow.plan.scaling, times)[0]
