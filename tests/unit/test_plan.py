"""Plans of every model, accelerator and framework: what is planned fits, and what is refused could not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.errors import PlanError
from infra.frameworks import FRAMEWORKS
from infra.naming import base_name
from infra.pipeline import Endpoint, build
from infra.spec import Accelerator, EndpointSpec
from tests.unit.files import ENGINES, HOST, Files, endpoint

CATALOG = load_catalog()


def planned(model: str, accelerator: str, framework: str, *more: str, precision: str | None = None) -> Endpoint:
    spec = EndpointSpec(
        apiVersion="servestack/v1",
        kind="Endpoint",
        platform="dev",
        model=model,
        accelerator=Accelerator(type=accelerator),
        framework=framework,
        precision=precision,
    )
    more += (f"precision: {precision}",) if precision else ()
    name = f"{base_name(spec, CATALOG)[:38]}-x"
    text = endpoint(model, accelerator, framework, *more)
    if accelerator.startswith("apple"):
        text = text.replace("platform: dev", "platform: mac")
    built = build(name, Files(**{name: text, "mac": HOST}))
    assert isinstance(built, Endpoint)
    return built


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["gemma-4-31b-it", "gemma-4-12b-it", "gemma-4-26b-a4b-it"]),
    st.sampled_from(["h100", "rtxpro6000", "a100-80gb"]),
    st.integers(256, 262144),
    st.integers(1, 64),
)
def test_no_smaller_count_would_have_served_the_same_request(
    model: str, accelerator: str, context: int, concurrency: int
) -> None:
    ask = ("capacity: [spot]", f"contextLength: {context}", f"concurrency: {concurrency}")
    try:
        plan = planned(model, accelerator, "vllm", *ask).plan
    except PlanError:
        return
    machines = CATALOG.accelerators[accelerator].machines
    smaller = [one.accelerators for one in machines if one.accelerators < plan.accelerator.count]
    assert plan.context.max_model_len == context
    for count in smaller:
        name = plan.stack
        text = endpoint(model, f"{{type: {accelerator}, count: {count}}}", "vllm", *ask)
        with pytest.raises(PlanError, match=r"does not fit|host memory"):
            build(name, Files(**{name: text}))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(CATALOG.models)),
    st.sampled_from(["l4", "h100"]),
    st.sampled_from(["llamacpp", "vllm"]),
    st.sampled_from([None, 8192, 100000, 131072]),
    st.integers(1, 1024),
)
def test_what_a_refusal_advises_is_planned_and_at_that_price(
    model: str, accelerator: str, framework: str, context: int | None, concurrency: int
) -> None:
    ask = {"capacity": "[spot]", "concurrency": str(concurrency), "contextLength": str(context)}
    if context is None:
        del ask["contextLength"]

    def attempt(changes: dict[str, str]) -> Endpoint:
        asked = ask | {"accelerator.count": "1"} | changes
        precision, count, kind = asked.pop("precision", None), asked.pop("accelerator.count"), accelerator
        if "accelerator" in asked:
            kind, count = asked.pop("accelerator"), "null"
        engine = {key.removeprefix("engine."): asked.pop(key) for key in list(asked) if key.startswith("engine.")}
        served_by = asked.pop("framework", framework)
        lines = [f"{key}: {value}" for key, value in asked.items()]
        lines.append("engine: {" + ", ".join(f"{key}: {value}" for key, value in engine.items()) + "}")
        shape = kind if count == "null" else f"{{type: {kind}, count: {count}}}"
        return planned_on(model, kind, shape, served_by, lines, precision)

    try:
        attempt({})
    except PlanError as refused:
        for line in str(refused).partition("It fits with one of:\n")[2].splitlines():
            change, _, rest = line.strip().partition("  ")
            key, value = change.split(": ")
            price = re.search(r"([0-9,.]+) USD/h", rest)
            cost = attempt({key: value}).plan.cost
            if price is None:
                assert cost.hourly_usd is None
            else:
                assert f"{cost.hourly_usd:,.2f}" == price.group(1)


def planned_on(
    model: str, kind: str, shape: str, framework: str, lines: list[str], precision: str | None = None
) -> Endpoint:
    more = [*lines, *([f"precision: {precision}"] if precision else [])]
    spec = EndpointSpec.model_validate(
        {
            "apiVersion": "servestack/v1",
            "kind": "Endpoint",
            "platform": "dev",
            "model": model,
            "accelerator": kind,
            "framework": framework,
            "precision": precision,
        }
    )
    name = f"{base_name(spec, CATALOG)[:38]}-x"
    built = build(name, Files(**{name: endpoint(model, shape, framework, *more)}))
    assert isinstance(built, Endpoint)
    return built


ON = dict.fromkeys(FRAMEWORKS, "rtxpro6000") | {"mlx": "apple-64gb"}
MODEL = dict.fromkeys(FRAMEWORKS, "gemma-4-12b-it") | {"nim": "gemma-4-31b-it"}
MUST_SAY = {name: [line] for name, line in ENGINES.items()}
STATED = {
    "cautions",
    "stack",
    "platform",
    "model",
    "framework",
    "tools",
    "reasoning",
    "ladder",
    "scaling",
    "engineArgs",
    "credentials",
    "settings",
    "unifiedSlots",
    "syncedSecrets",
    "grants",
    "onlyPlanned",
    "minReplicas",
    "labels",
    "decisions",
}


@pytest.mark.parametrize("framework", sorted(FRAMEWORKS))
def test_every_part_of_a_plan_has_a_decision_with_reason_and_origin(framework: str) -> None:
    plan = planned(MODEL[framework], ON[framework], framework, *MUST_SAY.get(framework, [])).plan
    data = plan.to_json()
    for decision in plan.decisions:
        assert decision.reason
        assert decision.origin in {"stack", "platform", "catalogue", "derived"}
        here: Any = data
        for part in decision.field.split("."):
            here = here[part]
    assert set(data) - {decision.field.split(".")[0] for decision in plan.decisions} <= STATED


OVERRIDES = {
    "concurrency: 2": {"context.concurrency"},
    "contextLength: 4096": {"context.maxModelLen"},
    "engine: {gpuMemoryUtilization: 0.9}": {"memory.utilization"},
    "engine: {kvCacheDtype: fp8}": {"memory.kvCacheDtype"},
    "engine: {maxNumBatchedTokens: 4096}": {"context.maxNumBatchedTokens"},
    "engine: {tensorParallelSize: 2}": {"parallelism"},
    "engine: {version: 0.32.0}": {"framework.image"},
    "capacity: [spot]": {"accelerator.capacity"},
    "capacity: [on-demand]": {"accelerator.capacity"},
    "inputs: [text]": {"inputs"},
    "replicas: {min: 2, max: 2}": {"replicas"},
    "startupTimeoutSeconds: 900": {"timing.timeoutSeconds"},
}


@pytest.mark.parametrize("line", OVERRIDES)
def test_what_the_stack_file_says_is_told_as_the_stacks_own_and_nothing_else_is(line: str) -> None:
    plan = planned("gemma-4-12b-it", "rtxpro6000", "vllm", line).plan
    assert {one.field for one in plan.decisions if one.origin == "stack"} == OVERRIDES[line]


def test_json_has_the_agreed_names() -> None:
    data = planned("gemma-4-31b-it", "h100", "vllm", "capacity: [spot]").plan.to_json()
    agreed = {
        "model": {"id", "checkpoint", "revision"},
        "framework": {"name", "version", "image"},
        "accelerator": {"type", "count", "machineType", "capacity"},
        "parallelism": {"tensor", "pipeline", "data"},
        "context": {"maxModelLen", "maxNumBatchedTokens"},
        "memory": {
            "perAcceleratorGiB",
            "weightsGiB",
            "kvCachePerRequestGiB",
            "kvCacheGiB",
            "overheadGiB",
            "headroomGiB",
        }
        | {"maxConcurrentRequests"},
        "timing": {"weightsBytes", "startupSeconds", "drainSeconds"},
        "cost": {"hourlyUsd", "monthlyUsdMin", "monthlyUsdMax"},
        "rollout": {"strategy", "downtime"},
    }
    for key, names in agreed.items():
        assert names <= set(data[key]), key
    assert {"stack", "precision", "inputs", "ladder", "decisions"} <= set(data)
    assert set(data["decisions"][0]) == {"field", "value", "origin", "reason"}


def test_an_endpoint_alone_costs_what_its_machine_costs_and_replicas_multiply() -> None:
    one = planned("gemma-4-e4b-it", "l4", "vllm").plan.cost
    three = planned("gemma-4-e4b-it", "l4", "vllm", "replicas: {min: 3, max: 3}").plan.cost
    assert one.hourly_usd == CATALOG.prices["g2-standard-8"].on_demand_usd_per_hour
    assert three.hourly_usd == pytest.approx(3 * one.hourly_usd)
    assert three.monthly_usd_max == pytest.approx(3 * one.hourly_usd * 730)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["l4", "a100-80gb", "h100"]), st.integers(1, 1024), st.sampled_from(["text", "image, text"]))
def test_the_engine_runs_as_many_requests_as_are_guaranteed(accelerator: str, concurrency: int, inputs: str) -> None:
    ask = ("capacity: [spot]", "contextLength: 256", f"concurrency: {concurrency}", f"inputs: [{inputs}]")
    built = planned("gemma-4-e2b-it", accelerator, "vllm", *ask)
    by_card = 1024 if accelerator == "h100" else 256
    args = dict(argument.split("=", 1) for argument in built.workload.args if "=" in argument)
    assert int(args.get("--max-num-seqs", by_card)) >= concurrency
    assert int(args["--max-num-batched-tokens"]) >= concurrency
