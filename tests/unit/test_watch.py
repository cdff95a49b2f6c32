"""What watches an endpoint: queries that Prometheus reads, of metrics that engines have, with the plan's numbers."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from typing import Any

import promql_parser as promql
import pytest
import yaml

from infra.catalog.loader import load_catalog
from infra.catalog.metrics import EngineMetrics, Series
from infra.cli import main
from infra.pipeline import Endpoint, build
from infra.watch.alerts import alerts
from infra.watch.limits import ANY, limits_of
from infra.watch.monitor import shared_alerts, shared_dashboard
from infra.watch.queries import Queries
from tests.conftest import ROOT
from tests.unit.files import Files, endpoint
from tests.unit.test_golden import ENDPOINTS, MORE

CATALOG = load_catalog()
LISTS = {
    "llamacpp": "llama-server-b11434-metrics.txt",
    "nim": "vllm-0.33.0-metrics.txt",
    "sglang": "sglang-0.5.23-metrics.txt",
    "trtllm": "trtllm-serve-metrics.txt",
    "vllm": "vllm-0.33.0-metrics.txt",
}
EVERY = pytest.mark.parametrize("metrics", CATALOG.metrics.values(), ids=CATALOG.metrics)
WATCHED = {n: one for n, one in (ENDPOINTS | MORE).items() if one.plan.watch.kind != "none"}
ALL = pytest.mark.parametrize("endpoint", WATCHED.values(), ids=WATCHED)
PLATFORM = "apiVersion: servestack/v1\nkind: Platform\ngke:\n  project: my-project\n  location: us-central1\n"
PLATFORM += "  cluster: {name: dev}\n"


def known(framework: str) -> set[str]:
    """Names of an engine's own list, as they may stand in a query."""
    lines = (ROOT / "tests" / "facts" / LISTS[framework]).read_text(encoding="utf-8").splitlines()
    names = {line for line in lines if not line.startswith("#")}
    return names | {f"{name}{end}" for name in names for end in ("_total", "_bucket", "_sum", "_count")} | {"up"}


def selectors(node: Any) -> Iterator[promql.VectorSelector]:
    """Every selector below a node of a parsed query."""
    if isinstance(node, promql.VectorSelector):
        yield node
    children = [getattr(node, name, None) for name in ("lhs", "rhs", "expr", "vector_selector", "vs")]
    for child in (*children, *(getattr(node, "args", None) or ())):
        if child is not None:
            yield from selectors(child)


def parsed(query: str) -> list[promql.VectorSelector]:
    found = list(selectors(promql.parse(query.replace("$__rate_interval", "5m"))))
    assert len(found) == len(re.findall(r"\{", query)), query
    return found


def dashboard_queries(text: str) -> list[str]:
    return [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]


def rules(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = [one for one in endpoint.objects() if one["kind"] in {"Rules", "PrometheusRule"}]
    return [rule for one in found for group in one["spec"]["groups"] for rule in group["rules"]]


def watched(monitoring: str = "", *lines: str) -> Endpoint:
    text = endpoint("gemma-4-e4b-it", "l4", "vllm", *lines)
    built = build("gemma4-e4b-l4", Files(**{"gemma4-e4b-l4": text, "dev": PLATFORM + monitoring}))
    assert isinstance(built, Endpoint)
    return built


def kinds(endpoint: Endpoint) -> set[str]:
    return {one["kind"] for one in endpoint.objects()} & {"PodMonitoring", "Rules", "PodMonitor", "PrometheusRule"}


@EVERY
def test_every_metric_of_the_catalogue_is_one_that_the_engine_has(metrics: EngineMetrics) -> None:
    names: list[str] = []
    for value in dataclasses.asdict(metrics).values():
        names += [value["name"]] if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
    own = {name for name in names if name and re.match(r"(vllm|sglang|llamacpp)[:]|trtllm_|http_", name)}
    assert own
    assert own - known(metrics.framework) == set()
    for histogram in (metrics.first_token_seconds, metrics.inter_token_seconds):
        assert histogram is None or not histogram.endswith(("_bucket", "_total"))
    assert metrics.version == CATALOG.frameworks[metrics.framework].default_version


def test_the_frameworks_file_names_no_other_metrics() -> None:
    for name, framework in CATALOG.frameworks.items():
        own = CATALOG.metrics.get(name)
        mean = {own.queue, own.running, *own.kv_cache} if own else set()
        assert set(framework.metrics) <= mean, name


@EVERY
def test_shared_files_are_the_generated_ones_and_every_query_is_of_the_engine(
    metrics: EngineMetrics, request: pytest.FixtureRequest
) -> None:
    board, groups = shared_dashboard(metrics), shared_alerts(metrics)
    head = f"# Alerts of any endpoint with {metrics.framework}, with plain limits: docs/alerts.md. Generated.\n"
    files = {
        ROOT / "manifests" / "dashboards" / f"{metrics.framework}.json": board,
        ROOT / "manifests" / "alerts" / f"{metrics.framework}.yaml": head + yaml.safe_dump(groups, width=110),
    }
    for file, text in files.items():
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == text, "pytest tests/unit/test_watch.py --update-golden"
    queries = [*dashboard_queries(board), *(rule["expr"] for rule in groups["groups"][0]["rules"])]
    for query in queries:
        for selector in parsed(query):
            assert selector.name in known(metrics.framework), query


@ALL
def test_every_query_of_an_endpoint_parses_and_asks_for_it_alone(endpoint: Endpoint) -> None:
    queries = [rule["expr"] for rule in rules(endpoint)] + dashboard_queries(endpoint.workload.monitor.dashboard)
    for query in queries:
        for selector in parsed(query):
            assert selector.name in known(endpoint.plan.framework.name), query
            assert f'stack="{endpoint.name}"' in query
            pairs = {(one.name, one.value) for one in selector.matchers.matchers}
            assert ("stack", endpoint.name) in pairs, query


@ALL
def test_every_alert_has_its_entry_and_says_what_is_wrong_in_one_sentence(endpoint: Endpoint) -> None:
    entries = re.findall(r"^### (\w+)$", (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8"), re.M)
    found = rules(endpoint)
    assert found
    for rule in found:
        assert rule["alert"] in entries
        assert rule["annotations"]["runbook"] == f"docs/alerts.md#{rule['alert'].lower()}"
        assert rule["annotations"]["summary"].startswith(f"{endpoint.name}: ")
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert re.fullmatch(r"\d+[smh]", rule["for"])


def test_every_entry_is_of_an_alert_that_some_engine_has() -> None:
    entries = re.findall(r"^### (\w+)$", (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8"), re.M)
    several = dataclasses.replace(ANY, fewest_replicas=2)
    made = {
        one.name for metrics in CATALOG.metrics.values() for one in alerts(Queries(metrics, 'stack="x"'), several, "x")
    }
    assert sorted(entries) == sorted(made)


def test_limits_are_the_plans_numbers() -> None:
    one = watched("", "replicas: {min: 2}", "concurrency: 3", "contextLength: 8192")
    plan, by_name = one.plan, {rule["alert"]: rule for rule in rules(one)}
    minutes = -(-plan.timing.startup_seconds // 60)
    assert limits_of(plan).start_seconds == 60 * minutes
    assert by_name["NoReadyReplica"]["for"] == by_name["ReplicaMissing"]["for"] == f"{minutes}m"
    assert by_name["ReplicaMissing"]["expr"].endswith("< 2")
    assert "> 3 * sum" in by_name["QueueGrowing"]["expr"]
    assert "3 requests of 8,192 tokens" in by_name["KvCacheFull"]["annotations"]["summary"]
    assert by_name["FirstTokenSlow"]["expr"].endswith("> 7")
    assert f"{plan.cost.hourly_usd:,.2f} USD an hour" in by_name["IdleAccelerators"]["annotations"]["summary"]


@pytest.mark.parametrize(
    ("monitoring", "cautious"),
    [
        ("", False),
        ("monitoring: none\n", True),
        ("monitoring: prometheus-operator\n", True),
        ("monitoring: prometheus-operator\nautoscaler: keda\nprometheus: {url: http://prometheus:9090}\n", False),
    ],
    ids=["managed", "nobody", "an HPA with the operator", "KEDA with the operator"],
)
def test_a_scaled_endpoint_is_read_more_often_and_told_where_its_autoscaler_reads_nothing(
    monitoring: str, cautious: bool
) -> None:
    plan = watched(monitoring, "replicas: {min: 1, max: 3}").plan
    assert plan.watch.interval_seconds == 15
    assert any("does not collect for it" in one for one in plan.cautions) is cautious
    assert watched(monitoring).plan.watch.interval_seconds == 30


def test_idle_replicas_cost_what_the_fewest_cost() -> None:
    fixed, scaled = limits_of(watched().plan).cost, limits_of(watched("", "replicas: {min: 1, max: 3}").plan).cost
    assert fixed == scaled


def test_one_replica_has_no_alert_for_a_missing_second_and_an_engine_none_for_what_it_does_not_measure() -> None:
    assert "ReplicaMissing" not in {rule["alert"] for rule in rules(watched())}
    made = {one.name for one in alerts(Queries(CATALOG.metrics["llamacpp"], 'stack="x"'), ANY, "x")}
    assert not made & {"KvCacheFull", "Preemptions", "FirstTokenSlow", "ErrorAnswers", "AbortedRequests"}
    assert {"NoReadyReplica", "QueueGrowing", "TokensSlow", "EngineStalled", "IdleAccelerators"} <= made


@pytest.mark.parametrize(
    ("monitoring", "expected", "namespaces"),
    [
        ("", {"PodMonitoring", "Rules"}, ["gmp-system", "gke-gmp-system"]),
        ("monitoring: managed-prometheus\n", {"PodMonitoring", "Rules"}, ["gmp-system", "gke-gmp-system"]),
        ("monitoring: prometheus-operator\n", {"PodMonitor", "PrometheusRule"}, "monitoring"),
        (
            "monitoring: {kind: prometheus-operator, namespace: watchers, labels: {release: stack}}\n",
            {"PodMonitor", "PrometheusRule"},
            "watchers",
        ),
    ],
    ids=["left out", "managed", "operator", "operator elsewhere"],
)
def test_the_platform_chooses_the_objects_and_the_network_admits_that_reader_alone(
    monitoring: str, expected: set[str], namespaces: Any
) -> None:
    one = watched(monitoring)
    assert kinds(one) == expected
    policy = next(o for o in one.objects() if o["kind"] == "NetworkPolicy")
    (rule,) = [entry for entry in policy["spec"]["ingress"] if entry["ports"][0]["port"] == 8091]
    (peer,) = rule["from"]
    selector = peer["namespaceSelector"]
    name = "kubernetes.io/metadata.name"
    found = selector["matchLabels"][name] if "matchLabels" in selector else selector["matchExpressions"][0]["values"]
    assert found == namespaces
    labels = {k for o in one.objects() if o["kind"] in expected for k in o["metadata"]["labels"] if k == "release"}
    assert labels == ({"release"} if "release" in monitoring else set())


def test_an_endpoint_that_nobody_watches_admits_nobody_to_its_metrics() -> None:
    one = watched("monitoring: none\n")
    assert kinds(one) == set()
    policy = next(o for o in one.objects() if o["kind"] == "NetworkPolicy")
    assert [entry["ports"][0]["port"] for entry in policy["spec"]["ingress"]] == [8090]
    assert not any(o["metadata"]["name"].endswith("-dashboard") for o in one.objects())
    assert next(d for d in one.plan.decisions if d.field == "watch.kind").origin == "platform"


@ALL
def test_a_dashboard_is_small_says_whose_it_is_and_lies_where_grafana_looks(endpoint: Endpoint) -> None:
    (found,) = [one for one in endpoint.objects() if one["metadata"]["name"] == f"{endpoint.name}-dashboard"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    ((name, text),) = found["data"].items()
    assert (name, text) == (f"{endpoint.name}.json", endpoint.workload.monitor.dashboard)
    assert len(json.dumps(found)) < 2**20 // 10, "a ConfigMap holds 1 MiB"
    board = json.loads(text)
    assert (board["title"], board["uid"], board["schemaVersion"]) == (endpoint.name, endpoint.name, 42)
    assert len(board["uid"]) <= 40
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]}
    assert len(places) == len(board["panels"])


def test_the_verb_prints_the_dashboard_and_says_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dashboard", "gemma4-e4b-l4", "--stacks", str(ROOT / "stacks")]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "gemma4-e4b-l4"
    assert main(["dashboard", "gemma4-e4b-l4-unwatched", "--stacks", str(ROOT / "tests/examples/valid")]) == 1
    assert capsys.readouterr().err == "gemma4-e4b-l4-unwatched is not watched: its platform says monitoring none.\n"


def test_a_part_of_a_counter_is_chosen_by_its_label() -> None:
    queries = Queries(CATALOG.metrics["vllm"], 'stack="x"')
    part = queries.matching(Series("a_total", "reason", "b|c"), "5m")
    assert part == 'sum by (stack) (rate(a_total{stack="x",reason=~"b|c"}[5m]))'
    assert queries.matching(Series("a_total", None, None), "5m") == 'sum by (stack) (rate(a_total{stack="x"}[5m]))'
