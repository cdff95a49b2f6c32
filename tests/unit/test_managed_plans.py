"""Endpoints that Google runs: whatever a stack file says is planned with a proof or refused with what to do."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Model
from infra.errors import PlanError, PolicyError, SpecError
from infra.fleet_report import fleet_text
from infra.golden import golden_text
from infra.judgement import judge
from infra.managed_report import endpoint_text
from infra.naming import base_name
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.plan.managed import ManagedPlan
from infra.plan.managed.calling import account_id
from infra.plan.quantities import Memory
from infra.plan.serving_plan import ServingPlan
from infra.spec import Accelerator, EndpointSpec, Vertex
from infra.spec.fields import CAPACITIES
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.files import HOST, Files
from tests.unit.network_rules import Party, admitted
from tests.unit.test_catalog_published import SHAPES
from tests.unit.test_cells import ADVICE

CATALOG = load_catalog()
EXAMPLES = int(os.environ.get("SERVESTACK_SPECS", "700"))
LONG = "a-project-with-a-name-of-thirt"
LONG_NAMED = (
    f"apiVersion: servestack/v1\nkind: Platform\ngoogle: {{project: {LONG}, location: northamerica-northeast1}}\n"
)
LAB = (ROOT / "tests" / "examples" / "refused" / "lab.yaml").read_text(encoding="utf-8")
LABELLED = f"""\
apiVersion: servestack/v1
kind: Platform
gke: {{project: {LONG}, location: us-central1, cluster: {{name: own}}}}
labels: {{team: search}}
"""
PLATFORMS = {"cloud": LONG_NAMED, "lab": LAB, "mac": HOST, "own": LABELLED}
OFFERS = sorted((one["model"], one["accelerator"], one["machine_type"]) for one in read_facts("managed.yaml")["offers"])
FOLDER, VALID = (StackFolder(ROOT / path) for path in ("stacks", "tests/examples/valid"))
SHIPPED = {
    one.name: one
    for folder in (FOLDER, VALID)
    for name in folder.names()
    if isinstance(one := build(name, folder), ManagedEndpoint)
}
every_shipped = pytest.mark.parametrize("endpoint", SHIPPED.values(), ids=SHIPPED)
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12), st.lists(st.integers(), max_size=2)
)
NAMES = st.one_of(
    st.sampled_from(["search", "bot", "x" * 63, "a", "kube-system", "-", "", "../x", "A b", "x\n", "{{ x }}"]),
    st.text(max_size=12),
)
CALLERS = st.lists(st.fixed_dictionaries({"namespace": NAMES, "serviceAccount": NAMES}), max_size=3)
SOUND_CALLERS = st.lists(
    st.fixed_dictionaries(
        {
            "namespace": st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"),
            "serviceAccount": st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z"),
        }
    ),
    max_size=4,
    unique_by=lambda one: (one["namespace"], one["serviceAccount"]),
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly right values; one in twenty is anything."""
    return st.integers(0, 19).flatmap(lambda dice: ODD if dice == 0 else strategy)


AUTOSCALING = st.fixed_dictionaries(
    {"metric": st.sampled_from(["accelerator", "cpu", "requests"])},
    optional={"target": st.sampled_from([0, 1, 60, 100, 101, 100_000])},
)
VERTEX = st.fixed_dictionaries(
    {},
    optional={
        "serverless": maybe(st.booleans()),
        "provider": maybe(st.sampled_from(["native", "sdk"])),
        "container": maybe(st.sampled_from(["planned", "verified"])),
        "acceptLicence": maybe(st.booleans()),
        "autoscaling": maybe(AUTOSCALING),
        "reservationZone": maybe(
            st.sampled_from(["us-central1-a", "northamerica-northeast1-b", "us-central1", "../x"])
        ),
        "maxRunSeconds": maybe(st.sampled_from([0, 600, 86_400, 604_800, 10_000_000])),
    },
)
IMAGE = "registry.example.com/team/vllm:0.33.0"
SOUND_ENGINE: dict[str, st.SearchStrategy[Any]] = {
    "image": st.just(IMAGE),
    "tensorParallelSize": st.sampled_from([1, 1, 2]),
    "maxNumBatchedTokens": st.sampled_from([1024, 2496, 4096, 8192, 20_000]),
    "gpuMemoryUtilization": st.floats(0.7, 0.98),
    "kvCacheDtype": st.sampled_from(["auto", "fp8"]),
}
WRONG_ENGINE: dict[str, st.SearchStrategy[Any]] = {
    "image": st.sampled_from([IMAGE, "x:latest", "a/b@sha256:" + "0" * 64, "$(id)"]),
    "tensorParallelSize": st.sampled_from([1, 2, 64]),
    "maxNumBatchedTokens": st.integers(256, 131072),
    "gpuMemoryUtilization": st.floats(0.1, 0.98),
    "kvCacheDtype": st.sampled_from(["auto", "fp8", "q8_0"]),
}
ENGINE = st.fixed_dictionaries({}, optional={key: maybe(value) for key, value in WRONG_ENGINE.items()})
ANY_ENGINE = st.one_of(ENGINE, st.just({"version": "0.33.0"}), st.just({"args": ["--seed=7"]}))
MORE = st.fixed_dictionaries(
    {},
    optional={
        "accelerator": maybe(
            st.one_of(
                st.sampled_from(sorted(CATALOG.accelerators)),
                st.fixed_dictionaries({"type": st.just("h100"), "count": st.sampled_from([1, 2, 8])}),
            )
        ),
        "precision": maybe(st.sampled_from(["bf16", "fp8", "q4_0"])),
        "contextLength": maybe(st.one_of(st.integers(256, 262144), st.sampled_from([256, 8192, 131072, 262144]))),
        "concurrency": maybe(st.integers(1, 1024)),
        "inputs": maybe(st.lists(st.sampled_from(["audio", "image", "text", "video"]), min_size=1, max_size=4)),
        "tools": maybe(st.booleans()),
        "reasoning": maybe(st.booleans()),
        "capacity": maybe(st.lists(st.sampled_from([*CAPACITIES, {"reservation": "gpus"}]), min_size=1, max_size=2)),
        "replicas": maybe(
            st.fixed_dictionaries(
                {}, optional={"min": st.integers(0, 4), "max": st.integers(1, 4), "spare": st.just(1)}
            )
        ),
        "startupTimeoutSeconds": maybe(st.integers(10, 14400)),
        "budgetUsdPerMonth": maybe(st.floats(1, 1e6)),
        "labels": maybe(st.dictionaries(st.sampled_from(["team", "cost-centre"]), st.sampled_from(["a", "b"]))),
        "engine": maybe(ANY_ENGINE),
        "vertex": maybe(VERTEX),
        "callers": maybe(CALLERS),
        "expectedRequestsPerMinute": maybe(st.integers(1, 1_000_000)),
        "expose": st.just({"authentication": "key"}),
        "nodePool": st.just({"bootDiskGb": 100}),
    },
)


def name_of(values: dict[str, Any]) -> str:
    """Name that follows from a file, as far as its words can be read."""
    vertex = values.get("vertex")
    serverless = isinstance(vertex, dict) and vertex.get("serverless") is True
    precision = values.get("precision")
    spec = EndpointSpec.model_construct(
        model=values["model"],
        accelerator=Accelerator(type="l4"),
        framework=values["framework"],
        vertex=Vertex(serverless=serverless),
        precision=precision if isinstance(precision, str) else None,
    )
    return base_name(spec, CATALOG)


def planned(values: dict[str, Any]) -> ManagedEndpoint:
    """What follows from a file of these values."""
    values = {"apiVersion": "servestack/v1", "kind": "Endpoint", "platform": "cloud", **values}
    name = name_of(values)
    built = build(name, Files(**{name: yaml.safe_dump(values, sort_keys=False), **PLATFORMS}))
    assert isinstance(built, ManagedEndpoint)
    return built


# Keys that a file of a service may have; the others are drawn for one file in five.
_ANYWHERE = {"inputs", "tools", "reasoning", "contextLength", "labels", "callers"}
KEYS = {
    "gemini": _ANYWHERE | {"expectedRequestsPerMinute"},
    "serverless": _ANYWHERE | {"expectedRequestsPerMinute"},
    "model-garden": _ANYWHERE
    | {"precision", "concurrency", "capacity", "replicas", "budgetUsdPerMonth", "startupTimeoutSeconds", "engine"}
    | {"vertex"},
}


@st.composite
def files(draw: st.DrawFn) -> dict[str, Any]:
    """A file of a managed framework, wrong in something more often than not."""
    service = draw(st.sampled_from(["gemini", "serverless", "model-garden", "model-garden"]))
    more = draw(MORE)
    if draw(st.integers(0, 4)):
        more = {key: value for key, value in more.items() if key in KEYS[service]}
    kept = dict(draw(st.permutations(sorted(more.items(), key=str)))[: draw(st.integers(0, 4))])
    size = draw(st.sampled_from(["26b-a4b-it", "31b-it", "26b-a4b-it", "31b-it", "e4b-it", "12b-it", "e2b-it", "31b"]))
    values: dict[str, Any] = {
        "model": f"gemma-4-{size}",
        "platform": draw(st.sampled_from(["cloud", "dev", "own", "dev", "cloud", "dev", "own", "lab", "mac"])),
        "framework": "gemini" if service == "gemini" else "vertex",
    }
    if service == "model-garden":
        values["accelerator"] = draw(st.sampled_from(["h100", "rtxpro6000", "h100", "rtxpro6000", "a100-80gb", "l4"]))
    if service == "serverless":
        values["vertex"] = {"serverless": True}
    return values | kept


@st.composite
def deployments(draw: st.DrawFn) -> dict[str, Any]:
    """A file of Model Garden with an offer that is marked, and otherwise what may fit or not."""
    model, accelerator, _ = draw(st.sampled_from([one for one in OFFERS if one[0] != "gemma-4-12b-it"]))
    least = draw(st.integers(1, 3))
    more = draw(
        st.fixed_dictionaries(
            {"replicas": st.just({"min": least, "max": least + draw(st.integers(0, 3))})},
            optional={
                "contextLength": st.integers(256, 40_000),
                "concurrency": st.integers(1, 8),
                "inputs": st.sampled_from([["text"], ["image", "text"]]),
                "tools": st.booleans(),
                "reasoning": st.booleans(),
                "capacity": st.sampled_from([["spot"], ["flex-start"], ["on-demand"]]),
                "engine": st.fixed_dictionaries({}, optional=SOUND_ENGINE),
            },
        )
    )
    if draw(st.integers(0, 9)) == 0:
        more |= {"capacity": [{"reservation": "gpus"}], "vertex": {"reservationZone": "northamerica-northeast1-b"}}
    return {"model": model, "accelerator": accelerator, "framework": "vertex", **more}


def parsed(endpoint: ManagedEndpoint) -> dict[str, str]:
    """Arguments of a container by their names; a switch alone has no value."""
    assert endpoint.container is not None
    pairs = [argument.partition("=") for argument in endpoint.container.args]
    assert all(name.startswith("--") for name, _, _ in pairs)
    assert len({name for name, _, _ in pairs}) == len(pairs), "an argument stands twice"
    return {name: value for name, _, value in pairs}


def full_bytes(model: Model, tokens: int, element_bytes: int, block: int) -> int:
    """KV cache of one request, every layer that has one in full, counted layer by layer in whole blocks."""
    total = 0
    for layer in range(model.layers - model.kv_shared_layers):
        everything = (layer + 1) % model.layers_per_global == 0
        heads = model.kv_heads_global if everything else model.kv_heads_sliding
        width = model.head_dim_global if everything else model.head_dim_sliding
        total += -(-tokens // block) * block * heads * width * 2 * element_bytes
    return total


def check_proof(plan: ManagedPlan, memory: Memory) -> None:
    """The proof recomputed: the cache from the layers, weights from a published table, the sum, and what fits."""
    model, context, chosen = CATALOG.models[plan.model.id], plan.context, plan.accelerator
    assert chosen is not None
    assert context.max_model_len is not None
    assert context.concurrency is not None
    element = 1 if memory.kv_cache_dtype == "fp8" else 2
    block = 64 if chosen.type == "h100" and element == 1 else 16
    cache = context.concurrency * full_bytes(model, context.max_model_len, element, block) + full_bytes(
        model, 1, element, block
    )
    (charged,) = [term for term in memory.terms if term.kind == "kv"]
    assert charged.size_gib * 2**30 == pytest.approx(cache, rel=1e-9)
    shape = SHAPES[model.size]
    towers = 0 if plan.inputs == ("text",) else shape.gib - shape.text_parameters * 2 / 2**30
    assert memory.weights_gib == pytest.approx(shape.text_parameters * 2 / 2**30 + towers, rel=0.01)
    assert memory.need_gib == pytest.approx(sum(one.size_gib + one.uncertainty_gib for one in memory.terms))
    assert memory.need_gib <= memory.have_gib <= memory.per_accelerator_gib
    assert memory.have_gib == pytest.approx(memory.per_accelerator_gib * memory.utilization, rel=1e-6)
    room = (memory.have_gib - memory.need_gib) * 2**30 + cache

    def asked(tokens: int) -> int:
        assert context.concurrency is not None
        return context.concurrency * full_bytes(model, tokens, element, block) + full_bytes(model, 1, element, block)

    assert context.max_model_len <= memory.max_context_tokens <= model.max_context_tokens
    assert asked(memory.max_context_tokens) <= room + 1024
    if memory.max_context_tokens < model.max_context_tokens:
        assert asked(memory.max_context_tokens + 1) > room - 1024
    assert context.concurrency <= memory.max_concurrent_requests


def published_usd() -> dict[str, float]:
    """USD per hour of a replica of Vertex AI, by machine type, of the published table."""
    text = (ROOT / "tests" / "facts" / "machines.txt").read_text(encoding="utf-8")
    cells = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return {row[1]: float(row[-1]) for row in cells if row[-1] != "-"}


USD = published_usd()


def check_plan(endpoint: ManagedEndpoint) -> None:
    """What holds of every plan."""
    plan = endpoint.plan
    for text in (endpoint_text(plan, explain=True), golden_text(endpoint).split("---")[0]):
        assert max(len(line.removeprefix("# ")) for line in text.splitlines()) <= 80, text
    assert all(len(line) <= 80 for line in fleet_text([plan]).splitlines())
    assert json.loads(json.dumps(plan.to_json(), allow_nan=False))
    assert len(plan.summary()) <= 200
    if plan.service == "model-garden":
        chosen = plan.accelerator
        assert chosen is not None
        assert (plan.model.id, chosen.type, chosen.machine_type) in OFFERS
        hourly = USD[chosen.machine_type]
        assert plan.cost.hourly_usd == pytest.approx(hourly * plan.replicas)
        assert plan.cost.monthly_usd_min == pytest.approx(hourly * plan.min_replicas * 730)
        assert plan.cost.monthly_usd_max == pytest.approx(hourly * plan.replicas * 730)
        assert plan.cost.exact == (chosen.capacity == "on-demand")
        assert (plan.memory is None) == (endpoint.container is None)
        if plan.memory is not None:
            check_proof(plan, plan.memory)
    else:
        assert (plan.accelerator, plan.memory, plan.garden, endpoint.container) == (None, None, None, None)
        assert plan.base_url.startswith("https://")
    objects = endpoint.objects()
    assert bool(objects) == (endpoint.platform.gke is not None)
    if objects:
        check_callers(endpoint, objects)


def check_callers(endpoint: ManagedEndpoint, objects: list[dict[str, Any]]) -> None:
    """What callers' pods get on a cluster, and what they do not."""
    name, by_kind = endpoint.name, {one["kind"]: one for one in objects}
    assert len(by_kind) == len(objects)
    assert all(one["metadata"].get("namespace", name) == name for one in objects)
    tokens = endpoint.plan.framework.name == "vertex"
    kinds = {"Namespace", "ServiceAccount", "NetworkPolicy", "ConfigMap"}
    assert set(by_kind) == kinds | (set() if tokens else {"SecretProviderClass", "SecretSync"})
    assert by_kind["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    account = by_kind["ServiceAccount"]
    assert account["automountServiceAccountToken"] is False
    acts_as = account["metadata"]["annotations"].get("iam.gke.io/gcp-service-account")
    assert acts_as == (endpoint.plan.calling.email if tokens else None)
    assert set(by_kind["ConfigMap"]["data"]) == {"OPENAI_BASE_URL", "OPENAI_MODEL"}
    pod = Party("caller", "10.4.0.9", name, {})
    dns = Party("dns", "10.4.0.2", "kube-system", {"k8s-app": "kube-dns"})
    metadata = Party("metadata", "169.254.169.254")
    policies = [by_kind["NetworkPolicy"]]
    assert set(policies[0]["spec"]["policyTypes"]) == {"Egress", "Ingress"}
    google, inside = Party("google", "142.250.1.95"), Party("inside", "10.128.0.7")
    other = Party("other", "10.4.0.8", "search", {})
    asked = {
        (dns, 53): True,
        (dns, 443): False,
        (metadata, 80): tokens,
        (metadata, 443): False,
        (google, 443): True,
        (google, 80): False,
        (inside, 443): False,
        (other, 443): False,
        (other, 8090): False,
    }
    assert {key: admitted(policies, pod, *key) for key in asked} == asked
    assert not any(admitted(policies, one, pod, 443) for one in (other, google, inside))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files())
def test_every_managed_file_is_planned_or_refused_with_what_to_do(values: dict[str, Any]) -> None:
    try:
        endpoint = planned(values)
    except (PlanError, SpecError) as refused:
        said = str(refused)
        assert re.match(rf"stacks/{name_of(values)}\.yaml:\d+:\d+: [a-zA-Z<']", said), said
        assert "Traceback" not in said
        if isinstance(refused, PlanError):
            assert ADVICE.search(said), said
            assert max(len(line) for line in said.splitlines()[1:] or [""]) <= 80
        return
    check_plan(endpoint)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(deployments())
def test_what_model_garden_is_asked_to_serve_is_what_was_proved(values: dict[str, Any]) -> None:
    try:
        endpoint = planned(values)
    except PlanError as refused:
        assert ADVICE.search(str(refused)), refused
        assume(False)
    check_plan(endpoint)
    plan, found = endpoint.plan, parsed(endpoint)
    assert plan.memory is not None
    assert plan.garden is not None
    said = {name: values[name] for name in ("contextLength", "concurrency") if name in values}
    assert (
        said.items() <= {"contextLength": plan.context.max_model_len, "concurrency": plan.context.concurrency}.items()
    )
    assert found["--max-model-len"] == str(plan.context.max_model_len)
    assert found["--max-num-batched-tokens"] == str(plan.context.max_num_batched_tokens)
    assert found["--tensor-parallel-size"] == "1"
    assert found["--dtype"] == "bfloat16"
    assert found["--kv-cache-dtype"] == values.get("engine", {}).get("kvCacheDtype", "auto")
    assert float(found["--gpu-memory-utilization"]) == pytest.approx(plan.memory.utilization, abs=1e-5)
    assert int(found["--max-num-seqs"]) >= (plan.context.concurrency or 1)
    assert found["--served-model-name"] == plan.model.request_model == values["model"]
    assert found["--model"] == plan.garden.weights
    assert found["--model"].startswith("gs://vertex-model-garden-restricted-us/gemma4/gemma-4-")
    images = 4 if "image" in plan.inputs else 0
    assert json.loads(found["--limit-mm-per-prompt"]) == {"audio": 0, "image": images, "video": 0}
    assert ("--tool-call-parser" in found) == ("--enable-auto-tool-choice" in found) == values.get("tools", False)
    assert ("--reasoning-parser" in found) == values.get("reasoning", False)
    assert {found.get(f"--{name}-parser", "gemma4") for name in ("tool-call", "reasoning")} == {"gemma4"}
    assert "--trust-remote-code" not in found
    assert set(found) <= KNOWN_FLAGS


def vllm_flags() -> set[str]:
    text = (ROOT / "tests" / "facts" / "vllm-0.32.0-options.txt").read_text(encoding="utf-8")
    return {line.strip() for line in text.splitlines() if line.startswith("--")}


KNOWN_FLAGS = vllm_flags()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("gemini", "31b"), ("gemini", "26b-a4b"), ("vertex", "26b-a4b")]),
    st.sampled_from(["cloud", "dev", "own"]),
    SOUND_CALLERS,
    st.fixed_dictionaries(
        {},
        optional={
            "contextLength": st.integers(256, 262144),
            "inputs": st.sampled_from([["text"], ["image", "text"]]),
            "tools": st.booleans(),
            "expectedRequestsPerMinute": st.integers(1, 1_000_000),
        },
    ),
)
def test_google_s_own_machines_need_no_proof_and_callers_get_only_what_they_need(
    asked: tuple[str, str], platform: str, callers: list[dict[str, str]], more: dict[str, Any]
) -> None:
    framework, size = asked
    values = {"platform": platform, "model": f"gemma-4-{size}-it", "framework": framework, **more}
    values |= {"vertex": {"serverless": True}} if framework == "vertex" else {}
    values |= {"callers": callers} if callers and platform != "cloud" else {}
    endpoint = planned(values)
    check_plan(endpoint)
    plan = endpoint.plan
    assert [(one.namespace, one.service_account) for one in plan.calling.callers[1:]] == [
        (one["namespace"], one["serviceAccount"]) for one in values.get("callers", [])
    ]
    assert plan.context.max_model_len == more.get("contextLength", 262144)
    assert (plan.context.max_output_tokens or 0) <= plan.context.max_model_len
    measured = framework == "gemini" and more.get("expectedRequestsPerMinute", 0) > 15
    assert any("429; framework" in one for one in plan.cautions) is measured


@every_shipped
def test_every_shipped_plan_holds_what_generated_ones_do(endpoint: ManagedEndpoint) -> None:
    check_plan(endpoint)
    assert endpoint.objects() == build(endpoint.name, FOLDER if endpoint.name in FOLDER.names() else VALID).objects()


@every_shipped
def test_no_value_of_a_secret_is_in_what_is_rendered(endpoint: ManagedEndpoint) -> None:
    assert "Secret" not in {one["kind"] for one in endpoint.objects()}
    assert not re.search(r"AIza|AQ\.|hf_|stringData|keyString", json.dumps(endpoint.objects()))


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"egress": ({},)}, "namespace-closed"),
        ({"client_environment": (("OPENAI_API_KEY", "x" * 40),)}, "no-secret-value"),
    ],
)
def test_what_callers_get_is_judged_like_everything_else(changed: dict[str, Any], rule: str) -> None:
    judge(SHIPPED.values(), FOLDER)
    endpoint = SHIPPED["gemma4-31b-gemini"]
    assert endpoint.callers is not None
    opened = dataclasses.replace(endpoint, callers=dataclasses.replace(endpoint.callers, **changed))
    with pytest.raises(PolicyError, match=f"policy {rule}: "):
        judge([opened], FOLDER)


def test_there_is_an_example_of_each_service_and_container() -> None:
    shown = {(one.plan.service, one.platform.gke is not None, one.container is not None) for one in SHIPPED.values()}
    assert shown >= {
        ("gemini", True, False),
        ("gemini", False, False),
        ("serverless", True, False),
        ("serverless", False, False),
        ("model-garden", True, True),
        ("model-garden", False, True),
        ("model-garden", False, False),
    }


SELF_HOSTED = [
    one.plan for name in FOLDER.names() if isinstance(one := build(name, FOLDER), Endpoint) and "l4" not in name
]


@every_shipped
@pytest.mark.parametrize("own", SELF_HOSTED[:2], ids=lambda plan: plan.stack)
def test_a_managed_plan_s_json_has_the_names_and_shapes_of_a_self_hosted_one(
    endpoint: ManagedEndpoint, own: ServingPlan
) -> None:
    ours, theirs = endpoint.plan.to_json(), own.to_json()
    of_managed = {"apis", "baseUrl", "calling", "expectedRequestsPerMinute", "garden", "location", "project"}
    assert set(ours) - set(theirs) == of_managed | {"service", "startupSeconds", "tokenPrice"}
    for key in ("accelerator", "cost", "framework", "memory", "parallelism"):
        assert ours[key] is None or alike(ours[key], theirs[key]), key
    added = {"context": {"maxOutputTokens"}, "model": {"requestModel"}}
    for key, more in added.items():
        assert set(ours[key]) - set(theirs[key]) == more
    for key in set(ours) & set(theirs):
        assert ours[key] is None or type(ours[key]) is type(theirs[key]), key
    assert {frozenset(one) for one in ours["decisions"]} == {frozenset(one) for one in theirs["decisions"]}


def alike(one: Any, other: Any) -> bool:
    """Whether two values have the same keys all the way down, as far as lists that have an entry in both tell."""
    if isinstance(one, dict) and isinstance(other, dict):
        return set(one) == set(other) and all(alike(one[key], other[key]) for key in one)
    return not (isinstance(one, list) and isinstance(other, list) and one and other) or alike(one[0], other[0])


STACKS = st.from_regex(r"\A[a-z][a-z0-9-]{0,38}[a-z0-9]\Z")


@given(STACKS)
def test_ids_of_google_follow_its_patterns(stack: str) -> None:
    assert re.fullmatch(r"[a-z]([a-z0-9-]{4,28}[a-z0-9])", account_id(stack)), account_id(stack)


@given(st.from_regex(r"\A[a-z][a-z0-9-]{24,34}\Z"), *[st.from_regex(r"\A[a-z0-9-]{0,4}[a-z0-9]\Z")] * 2)
def test_names_that_begin_alike_have_accounts_of_their_own(start: str, end: str, other: str) -> None:
    assert (account_id(start + end) == account_id(start + other)) == (end == other)
