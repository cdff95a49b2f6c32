"""Endpoints that Google runs: whatever a stack file says is planned with a proof or refused with what to do."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from infra.errors import PlanError, PolicyError, SpecError
from infra.judgement import judge
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.plan.managed.calling import account_id
from infra.plan.serving_plan import ServingPlan
from infra.stack_folder import StackFolder
from tests.conftest import ROOT
from tests.unit.managed_files import SOUND_CALLERS, deployments, files, name_of, planned
from tests.unit.managed_rules import check_plan
from tests.unit.test_cells import ADVICE

EXAMPLES = int(os.environ.get("SERVESTACK_SPECS", "700"))
FOLDER, VALID = (StackFolder(ROOT / path) for path in ("stacks", "tests/examples/valid"))
SHIPPED = {
    one.name: one
    for folder in (FOLDER, VALID)
    for name in folder.names()
    if isinstance(one := build(name, folder), ManagedEndpoint)
}
every_shipped = pytest.mark.parametrize("endpoint", SHIPPED.values(), ids=SHIPPED)


def parsed(endpoint: ManagedEndpoint) -> dict[str, str]:
    """Arguments of a container by their names; a switch alone has no value."""
    assert endpoint.container is not None
    pairs = [argument.partition("=") for argument in endpoint.container.args]
    assert all(name.startswith("--") for name, _, _ in pairs)
    assert len({name for name, _, _ in pairs}) == len(pairs), "an argument stands twice"
    return {name: value for name, _, value in pairs}


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
