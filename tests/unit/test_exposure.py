"""An endpoint behind a gateway: which objects, with which values, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.catalog.loader import load_catalog
from infra.components.kubernetes import is_server, type_token
from infra.frameworks.proxy import METRICS_PORT, PORT
from infra.pipeline import Endpoint, build
from infra.policy.security import TOKEN_REASON
from tests.unit.files import Files, endpoint
from tests.unit.network_rules import selects
from tests.unit.test_golden import ALL, MORE

EXTERNAL, INTERNAL = MORE["gemma4-e4b-l4-external"], MORE["gemma4-e4b-l4-internal"]
SHARED, POOL = MORE["gemma4-e4b-l4-shared"], MORE["gemma4-e4b-l4-pool"]
LLAMACPP = MORE["gemma4-e4b-q4-k-m-l4-llamacpp-pool"]
EXPOSED = pytest.mark.parametrize("one", [EXTERNAL, INTERNAL, SHARED, POOL, LLAMACPP], ids=lambda one: one.name)
POOLS = pytest.mark.parametrize("one", [POOL, LLAMACPP], ids=lambda one: one.name)
TLS = "certificate: {secret: s}"


def objects(one: Endpoint, kind: str) -> list[dict[str, Any]]:
    return [found for found in one.objects() if found["kind"] == kind]


def spec(one: Endpoint, kind: str, name: str = "") -> dict[str, Any]:
    (found,) = [found for found in objects(one, kind) if found["metadata"]["name"] == (name or one.name)]
    inner: dict[str, Any] = found["spec"]
    return inner


def labels(one: Endpoint, name: str) -> dict[str, str]:
    found: dict[str, str] = spec(one, "Deployment", name)["template"]["metadata"]["labels"]
    return found


def planned(expose: str, *more: str, **files: str) -> Endpoint:
    text = endpoint("gemma-4-e4b-it", "l4", "vllm", f"expose: {{{expose}}}", *more)
    built = build("gemma4-e4b-l4", Files(**{"gemma4-e4b-l4": text} | files))
    assert isinstance(built, Endpoint)
    return built


@ALL
def test_no_two_objects_of_an_endpoint_have_one_name(endpoint: Endpoint) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in endpoint.objects()]
    assert len(set(names)) == len(names)
    assert names[0][0] == "Namespace"
    assert {one["metadata"].get("namespace", endpoint.name) for one in endpoint.objects()} == {endpoint.name}


@ALL
def test_one_deployment_is_the_engines_and_only_it_waits_for_accelerators(endpoint: Endpoint) -> None:
    (server,) = [one for one in endpoint.objects() if is_server(one)]
    resource = endpoint.plan.accelerator.resource
    asks = [one["metadata"]["name"] for one in endpoint.objects() if f"'{resource}'" in str(one) and "spec" in one]
    assert asks == ([server["metadata"]["name"]] if resource else [])


@ALL
def test_every_object_has_the_type_by_which_pulumi_makes_it(endpoint: Endpoint) -> None:
    tokens = {one["kind"]: type_token(one) for one in endpoint.objects()}
    own = {
        "Gateway": "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        "HTTPRoute": "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
        "GCPBackendPolicy": "kubernetes:networking.gke.io/v1:GCPBackendPolicy",
        "HealthCheckPolicy": "kubernetes:networking.gke.io/v1:HealthCheckPolicy",
        "InferencePool": "kubernetes:inference.networking.k8s.io/v1:InferencePool",
        "Role": "kubernetes:rbac.authorization.k8s.io/v1:Role",
    }
    assert {kind: token for kind, token in tokens.items() if kind in own} == {
        kind: token for kind, token in own.items() if kind in tokens
    }


@ALL
def test_every_pod_but_the_picker_is_without_a_token_and_that_one_says_why(endpoint: Endpoint) -> None:
    for one in objects(endpoint, "Deployment"):
        template = one["spec"]["template"]
        reason = template["metadata"]["annotations"].get(TOKEN_REASON)
        assert template["spec"]["automountServiceAccountToken"] is bool(reason)
        assert bool(reason) is one["metadata"]["name"].endswith("-epp")


@pytest.mark.parametrize(
    ("one", "gateway_class"),
    [
        (EXTERNAL, "gke-l7-global-external-managed"),
        (INTERNAL, "gke-l7-rilb"),
        (POOL, "gke-l7-regional-external-managed"),
        (LLAMACPP, "gke-l7-rilb"),
    ],
    ids=lambda one: one.name if isinstance(one, Endpoint) else one,
)
def test_the_gateway_has_the_class_of_its_reach_and_one_listener_with_tls(one: Endpoint, gateway_class: str) -> None:
    gateway = spec(one, "Gateway")
    assert gateway["gatewayClassName"] == gateway_class
    (listener,) = gateway["listeners"]
    assert (listener["protocol"], listener["port"]) == ("HTTPS", 443)
    assert listener["hostname"] == one.spec.expose.gateway.hostname  # type: ignore[union-attr]
    assert listener["allowedRoutes"] == {"namespaces": {"from": "Same"}}


def test_a_certificate_map_is_an_annotation_and_a_secret_a_reference_never_both() -> None:
    (by_map,), (by_secret,) = objects(EXTERNAL, "Gateway"), objects(INTERNAL, "Gateway")
    assert by_map["metadata"]["annotations"]["networking.gke.io/certmap"] == "gemma"
    assert "tls" not in by_map["spec"]["listeners"][0]
    assert "networking.gke.io/certmap" not in by_secret["metadata"]["annotations"]
    (reference,) = by_secret["spec"]["listeners"][0]["tls"]["certificateRefs"]
    assert reference == {"group": "", "kind": "Secret", "name": "gemma-tls"}


def test_a_shared_gateway_is_attached_to_at_its_listener_and_none_is_made() -> None:
    assert objects(SHARED, "Gateway") == []
    (parent,) = spec(SHARED, "HTTPRoute")["parentRefs"]
    assert (parent["namespace"], parent["name"], parent["sectionName"]) == ("gateways", "front", "https")


@EXPOSED
def test_the_route_leads_from_one_host_and_one_prefix_to_the_proxy(one: Endpoint) -> None:
    route = spec(one, "HTTPRoute")
    assert route["hostnames"] == [one.plan.exposure.gateway.hostname]  # type: ignore[union-attr]
    (rule,) = route["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/v1"}}]
    (backend,) = rule["backendRefs"]
    if backend["kind"] == "Service":
        (port,) = spec(one, "Service")["ports"]
        assert backend["port"] == port["port"] == PORT
    else:
        assert "port" not in backend
        assert spec(one, "InferencePool")["targetPorts"] == [{"number": PORT}]
    assert set(rule) == {"matches", "backendRefs"}, "GKE lists HTTPRouteRequestTimeout as unsupported"


@EXPOSED
def test_the_policies_of_google_are_for_what_the_route_leads_to(one: Endpoint) -> None:
    (backend,) = spec(one, "HTTPRoute")["rules"][0]["backendRefs"]
    target = {key: backend[key] for key in ("group", "kind", "name")}
    assert spec(one, "GCPBackendPolicy")["targetRef"] == spec(one, "HealthCheckPolicy")["targetRef"] == target
    check = spec(one, "HealthCheckPolicy")["default"]
    assert check["config"]["httpHealthCheck"]["requestPath"] == "/health"
    assert check["config"]["httpHealthCheck"]["port"] == PORT
    assert check["timeoutSec"] <= check["checkIntervalSec"], "the CRD's own limit"


@pytest.mark.parametrize(
    ("lines", "timeout", "draining"),
    [
        ((), 300, 75),
        (("longestAnswerSeconds: 100",), 300, 115),
        (("longestAnswerSeconds: 151",), 302, 166),
        (("longestAnswerSeconds: 3600",), 7200, 3600),
        (("longestAnswerSeconds: 600", "capacity: [spot]"), 1200, 11),
    ],
)
def test_answers_are_not_cut_and_a_pod_that_leaves_is_drained_as_long_as_it_answers(
    lines: tuple[str, ...], timeout: int, draining: int
) -> None:
    one = planned(f"gateway: {{hostname: g.example.com, scope: external, {TLS}}}", *lines)
    policy = spec(one, "GCPBackendPolicy")["default"]
    assert policy == {"timeoutSec": timeout, "connectionDraining": {"drainingTimeoutSec": draining}}
    assert policy["timeoutSec"] > (one.spec.longestAnswerSeconds or 60)
    assert 0 < draining <= 3600, "the CRD's own limit"
    grace = spec(one, "Deployment")["template"]["spec"]["terminationGracePeriodSeconds"]
    assert draining <= grace


@POOLS
def test_the_pool_the_service_and_the_budget_hold_the_engines_pods_and_not_the_picker(one: Endpoint) -> None:
    engine, picker = labels(one, one.name), labels(one, f"{one.name}-epp")
    selectors = [
        spec(one, "InferencePool")["selector"],
        {"matchLabels": spec(one, "Service")["selector"]},
        spec(one, "PodDisruptionBudget")["selector"],
        spec(one, "Deployment")["selector"],
    ]
    assert [selects(each, engine) for each in selectors] == [True] * 4
    assert [selects(each, picker) for each in selectors] == [False] * 4
    own = [{"matchLabels": spec(one, "Service", f"{one.name}-epp")["selector"]}]
    own += [spec(one, kind, f"{one.name}-epp")[key] for kind, key in PICKERS]
    assert [(selects(each, picker), selects(each, engine)) for each in own] == [(True, False)] * 3


PICKERS = (("Deployment", "selector"), ("NetworkPolicy", "podSelector"))


@POOLS
def test_the_pool_asks_the_picker_where_it_listens_and_does_without_it_when_it_is_gone(one: Endpoint) -> None:
    reference, name = spec(one, "InferencePool")["endpointPickerRef"], f"{one.name}-epp"
    (port,) = spec(one, "Service", name)["ports"]
    (container,) = spec(one, "Deployment", name)["template"]["spec"]["containers"]
    assert reference["name"] == name
    assert reference["port"]["number"] == port["port"] == port["targetPort"] == 9002
    assert 9002 in {each["containerPort"] for each in container["ports"]}
    assert reference["failureMode"] == "FailOpen"
    flags = dict(each.split("=", 1) for each in container["args"])
    assert flags["--pool-name"] == flags["--pool-namespace"] == one.name
    assert flags["--grpc-port"] == "9002"
    check = spec(one, "HealthCheckPolicy", name)["default"]["config"]["grpcHealthCheck"]
    assert check["port"] == int(flags["--grpc-health-port"]) == container["livenessProbe"]["grpc"]["port"]


def config(one: Endpoint) -> dict[str, Any]:
    (found,) = [each for each in objects(one, "ConfigMap") if each["metadata"]["name"] == f"{one.name}-epp"]
    read: dict[str, Any] = yaml.safe_load(found["data"]["picker.yaml"])
    return read


@POOLS
def test_the_picker_reads_metrics_at_the_port_that_callers_do_not_reach(one: Endpoint) -> None:
    plugins = {each["type"]: each.get("parameters", {}) for each in config(one)["plugins"]}
    assert plugins["metrics-data-source"] == {"scheme": "http", "path": "/metrics", "port": METRICS_PORT}
    profile = {each["pluginRef"] for each in config(one)["schedulingProfiles"][0]["plugins"]}
    (source,) = config(one)["dataLayer"]["sources"]
    read = {source["pluginRef"], *(each["pluginRef"] for each in source["extractors"])}
    assert profile | read == set(plugins), "every plugin is used, and every one used is there"


def test_the_picker_knows_each_engine_by_the_label_of_its_pods() -> None:
    extractors = {one.name: config(one)["plugins"][-1]["parameters"] for one in (POOL, LLAMACPP)}
    assert labels(POOL, POOL.name)["llm-d.ai/engine-type"] == "vllm"
    assert extractors[POOL.name] == {"defaultEngine": "vllm"}
    assert labels(LLAMACPP, LLAMACPP.name)["llm-d.ai/engine-type"] == "llamacpp"
    (gauges,) = extractors[LLAMACPP.name]["engineConfigs"]
    # llama.cpp b11434, tools/server: the names that the engine's own drain reads as well.
    assert gauges["queuedRequestsSpec"] == "llamacpp:requests_deferred"
    assert gauges["runningRequestsSpec"] == "llamacpp:requests_processing"
    assert "kv-cache-utilization-scorer" in str(config(POOL))
    assert "kv-cache-utilization-scorer" not in str(config(LLAMACPP)), "it has no such gauge"
    assert "llm-d.ai/engine-type" not in labels(EXTERNAL, EXTERNAL.name)


@POOLS
def test_the_picker_may_read_pods_and_pools_of_its_own_namespace_alone(one: Endpoint) -> None:
    (role,), (binding,) = objects(one, "Role"), objects(one, "RoleBinding")
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    core = [rule["resources"] for rule in role["rules"] if "" in rule["apiGroups"]]
    assert core == [["pods"]]
    (subject,) = binding["subjects"]
    account = spec(one, "Deployment", f"{one.name}-epp")["template"]["spec"]["serviceAccountName"]
    assert (subject["namespace"], subject["name"]) == (one.name, account)
    assert account != spec(one, "Deployment")["template"]["spec"]["serviceAccountName"]


def test_a_change_of_the_pickers_configuration_makes_a_new_pod() -> None:
    sums = [
        spec(one, "Deployment", f"{one.name}-epp")["template"]["metadata"]["annotations"] for one in (POOL, LLAMACPP)
    ]
    assert sums[0]["servestack.dev/picker-config"] != sums[1]["servestack.dev/picker-config"]


def test_callers_in_the_cluster_keep_their_own_address() -> None:
    inside = dict(EXTERNAL.workload.client_environment)["OPENAI_BASE_URL"]
    assert inside == f"http://{EXTERNAL.name}.{EXTERNAL.name}.svc.cluster.local:{PORT}/v1"
    assert EXTERNAL.plan.exposure.gateway
    assert EXTERNAL.plan.exposure.gateway.url == "https://gemma.example.com/v1"


def test_every_framework_that_the_picker_reads_is_one_of_the_catalogue() -> None:
    catalog = load_catalog()
    assert {one.framework for one in catalog.picker.engines} <= set(catalog.frameworks)


def test_a_picker_with_nothing_to_choose_or_too_wide_a_network_is_a_caution() -> None:
    platform = (
        "gke: {project: servestack-dev, location: us-central1, cluster: {name: dev}, proxyOnlySubnet: 10.1.0.0/23}"
    )
    one = planned(
        f"routing: inference-pool, gateway: {{hostname: g.example.com, scope: internal, {TLS}}}",
        dev=f"apiVersion: servestack/v1\nkind: Platform\n{platform}\n",
    )
    said = " ".join(one.plan.cautions)
    assert "has one replica to choose from" in said
    assert "does not name gke.controlPlane" in said
    assert POOL.plan.cautions == ()


def test_a_plan_as_data_has_labels_of_clients_as_they_are() -> None:
    clients = EXTERNAL.plan.to_json()["exposure"]["clients"]
    assert clients == [{"namespace": "search", "labels": {"app": "bot"}}, {"namespace": "notebooks", "labels": {}}]
