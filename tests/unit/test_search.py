"""The plan is the cheapest that fits: compared with brute force over every way that the whole catalogue offers."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.catalog.loader import load_catalog
from infra.catalog.records import Checkpoint, Machine
from infra.frameworks import FRAMEWORKS
from infra.plan.demand import Setting
from infra.plan.placement import SOLD, usable_memory_gib
from infra.plan.question import ask
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import DEFAULT_CONTEXT_TOKENS, choose
from infra.spec import EndpointSpec, PlatformSpec

CATALOG = load_catalog()
GIB = 2**30
PLATFORM = PlatformSpec.model_validate(
    {
        "apiVersion": "servestack/v1",
        "kind": "Platform",
        "gke": {"project": "servestack-dev", "location": "us-central1", "cluster": {"name": "dev"}},
    }
)
ON_GKE = sorted(one.id for one in CATALOG.accelerators.values() if one.machines and one.memory_gib)
PLANNED = sorted(name for name, one in FRAMEWORKS.items() if set(one.capabilities.kinds) & {"gpu", "tpu"})
# Least interrupted first, as the plan promises at equal price.
INTERRUPTION = {"on-demand": 0, "flex-start": 1, "spot": 2}


@dataclass(frozen=True)
class Way:
    checkpoint: Checkpoint
    capacity: str
    machine: Machine
    tensor: int
    pipeline: int
    data: int
    nodes: int
    price: float


def ways(request: Request, nodes: int) -> list[Way]:
    """Every combination on so many machines, feasible or not; nothing of the planner's own enumeration is used."""
    found = []
    for checkpoint, machine in itertools.product(request.model.checkpoints, request.accelerator.machines):
        if request.framework.name not in checkpoint.frameworks:
            continue
        if checkpoint.precision not in request.framework.precisions:
            continue
        if checkpoint.format not in request.framework.formats:
            continue
        if checkpoint.architectures and request.accelerator.architecture not in checkpoint.architectures:
            continue
        for capacity in INTERRUPTION:
            if capacity not in machine.capacity:
                continue
            count = nodes * (machine.accelerators or 1)
            divisors = [size for size in range(1, count + 1) if count % size == 0]
            for tensor, pipeline, data in itertools.product(divisors, repeat=3):
                if tensor * pipeline * data == count:
                    price = CATALOG.prices[machine.machine_type]
                    known = {
                        "on-demand": price.on_demand_usd_per_hour,
                        "spot": price.spot_usd_per_hour,
                        "flex-start": price.flex_start_usd_per_hour,
                    }
                    hourly = known[capacity] if known[capacity] is not None else price.on_demand_usd_per_hour
                    usd = math.inf if hourly is None else nodes * hourly
                    found.append(Way(checkpoint, capacity, machine, tensor, pipeline, data, nodes, usd))
    return found


def feasible(request: Request, way: Way, tokens: int) -> bool:
    """Whether any step size makes this way fit accelerators and host."""
    capabilities, model = request.capabilities, request.model
    splits = (
        model.query_heads % way.tensor == 0
        and way.tensor <= capabilities.max_tensor(model, False)
        and way.pipeline <= capabilities.max_pipeline(model)
        and way.data <= capabilities.max_data
    )
    if way.nodes > 1:  # a stage stays within a machine, and there is one copy
        splits = splits and way.data == 1 and (way.machine.accelerators or 1) % way.tensor == 0
    count = request.spec.accelerator.count
    if tokens > capabilities.max_tokens(model, request.accelerator):
        return False
    if not splits or count not in {None, way.nodes * (way.machine.accelerators or 1)} or not way.machine.memory_gib:
        return False
    if capabilities.weights_bytes(model, way.checkpoint, request.inputs) is None:
        return False
    for step in capabilities.step_tokens(model, request.accelerator, request.inputs):
        setting = Setting(
            model=model,
            checkpoint=way.checkpoint,
            drafter=None,
            accelerator=request.accelerator,
            inputs=request.inputs,
            version=request.version,
            tokens=tokens,
            concurrency=math.ceil(request.concurrency / way.data),
            tensor=way.tensor,
            pipeline=way.pipeline,
            data=way.data,
            batched_tokens=step,
            kv_cache_dtype="auto",
            unified_slots=False,
        )
        need = sum(term.size_bytes + term.uncertainty_bytes for term in capabilities.terms(setting))
        host = sum(term.size_bytes for term in capabilities.host_terms(setting))
        have = int((request.accelerator.memory_gib or 0) * capabilities.utilization * GIB)
        if need <= have and host <= usable_memory_gib(way.machine) * GIB:
            return True
    return False


def request_of(model: str, accelerator: str, framework: str, **more: object) -> Request:
    spec = EndpointSpec.model_validate(
        {
            "apiVersion": "servestack/v1",
            "kind": "Endpoint",
            "platform": "dev",
            "model": model,
            "accelerator": accelerator,
            "framework": framework,
            **more,
        }
    )
    return ask(spec, PLATFORM, CATALOG, FRAMEWORKS[framework].capabilities)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(CATALOG.models)),
    st.sampled_from(ON_GKE),
    st.sampled_from(PLANNED),
    st.sampled_from([None, 1024, 8192, 30000, 131072]),
    st.sampled_from([1, 3, 16, 200]),
)
def test_nothing_cheaper_than_the_plan_would_have_served_the_request(
    model: str, accelerator: str, framework: str, context: int | None, concurrency: int
) -> None:
    more = {} if context is None else {"contextLength": context}
    try:
        request = request_of(model, accelerator, framework, concurrency=concurrency, **more)
    except RefusedError:
        return
    tokens = context or min(DEFAULT_CONTEXT_TOKENS)
    possible = [way for way in ways(request, 1) if feasible(request, way, tokens)]
    if not possible and framework == "vllm" and request.accelerator.kind == "gpu":
        several = (way for nodes in range(2, 9) for way in ways(request, nodes))
        possible = [way for way in several if feasible(request, way, tokens)]
    try:
        choice = choose(request, SOLD)
    except RefusedError:
        assert not possible
        return
    chosen = choice.candidate
    cheapest = min(way.price for way in possible)
    price = math.inf if chosen.usd_per_hour is None else chosen.usd_per_hour
    assert price == pytest.approx(cheapest)
    assert (chosen.nodes > 1) == (possible[0].nodes > 1)
    equal = [way for way in possible if math.isclose(way.price, cheapest)]
    assert INTERRUPTION[chosen.capacity.kind] == min(INTERRUPTION[way.capacity] for way in equal)
    equal = [way for way in equal if way.capacity == chosen.capacity.kind]
    order = request.framework.precisions.index
    assert order(chosen.checkpoint.precision) == min(order(way.checkpoint.precision) for way in equal)
    assert choice.fit.setting.tokens >= tokens


@pytest.mark.parametrize("model", sorted(CATALOG.models))
def test_the_same_question_has_the_same_answer(model: str) -> None:
    try:
        first, second = (choose(request_of(model, "rtxpro6000", "vllm"), SOLD) for _ in range(2))
    except RefusedError:
        return
    assert first == second
    assert first.candidate.count == first.candidate.tensor * first.candidate.pipeline * first.candidate.data
    assert first.candidate.machine.accelerators == first.candidate.count


def test_a_smaller_checkpoint_of_the_same_precision_is_tried_before_a_lower_precision() -> None:
    request = request_of("gemma-4-31b-it", "gb200", "sglang", contextLength=30000, concurrency=200)
    checkpoint = choose(request, SOLD).candidate.checkpoint
    assert (checkpoint.precision, checkpoint.repository) == ("nvfp4", "RedHatAI/gemma-4-31B-it-NVFP4")
