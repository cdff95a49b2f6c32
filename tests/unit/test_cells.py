"""Every stack that can be composed from the catalogue is planned with a proof, or refused with something to do."""

from __future__ import annotations

import re

import pytest

from infra.catalog.loader import load_catalog
from infra.errors import PlanError, SpecError
from infra.naming import base_name
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan
from infra.spec import Accelerator, EndpointSpec, Vertex
from tests.unit.files import ENGINES, HOST, Files, endpoint

CATALOG = load_catalog()
PRECISIONS = [None, *sorted({one.precision for model in CATALOG.models.values() for one in model.checkpoints})]
# Words by which a refusal says what to do.
ADVICE = re.compile(
    r"[Uu]se |[Ww]rite |[Ii]t (loads|takes|runs|serves|fits|splits|has)|leave it out|They take|[Mm]achines carry"
    r"|say how much|name a platform|add it"
)


def attempt(model: str, accelerator: str, framework: str, precision: str | None) -> ServingPlan | ManagedPlan | str:
    """The plan of a cell, or the words with which it is refused."""
    lines = [f"precision: {precision}"] if precision else []
    lines += [ENGINES[framework]] if framework in ENGINES else []
    spec = EndpointSpec.model_construct(
        model=model, accelerator=Accelerator(type=accelerator), framework=framework, precision=precision
    )
    name = base_name(spec, CATALOG)
    platform = "mac" if accelerator.startswith("apple") else "dev"
    text = endpoint(model, accelerator, framework, *lines).replace("platform: dev", f"platform: {platform}")
    return planned(name, text)


def served(model: str, service: str, *lines: str) -> ServingPlan | ManagedPlan | str:
    """The plan of a model on Google's own machines, or the words with which it is refused."""
    framework = "gemini" if service == "gemini" else "vertex"
    switch = ["vertex: {serverless: true}"] if service == "serverless" else []
    spec = EndpointSpec.model_construct(
        model=model, framework=framework, vertex=Vertex(serverless=True) if switch else None, precision=None
    )
    text = "".join(
        line
        for line in endpoint(model, "l4", framework, *switch, *lines).splitlines(keepends=True)
        if not line.startswith("accelerator")
    )
    return planned(base_name(spec, CATALOG), text)


def planned(name: str, text: str) -> ServingPlan | ManagedPlan | str:
    try:
        built = build(name, Files(**{name: text, "mac": HOST}))
    except PlanError as refused:
        return str(refused)
    except SpecError as wrong:
        raise AssertionError(f"{name}: {wrong}") from wrong
    assert isinstance(built, Endpoint | ManagedEndpoint)
    return built.plan


def check_memory(plan: ServingPlan | ManagedPlan) -> None:
    memory, context = plan.memory, plan.context
    assert memory is not None
    assert plan.accelerator is not None
    assert plan.parallelism is not None
    assert memory.need_gib <= memory.have_gib <= memory.per_accelerator_gib
    total = memory.weights_gib + memory.kv_cache_gib + memory.overhead_gib + memory.headroom_gib
    assert total == pytest.approx(memory.per_accelerator_gib)
    assert memory.need_gib == pytest.approx(sum(one.size_gib + one.uncertainty_gib for one in memory.terms))
    assert plan.accelerator.count == plan.parallelism.tensor * plan.parallelism.pipeline * plan.parallelism.data
    assert memory.max_concurrent_requests >= (context.concurrency or 0) > 0
    assert memory.max_context_tokens >= (context.max_model_len or 0) > 0
    assert plan.model.checkpoint


def check(plan: ServingPlan) -> None:
    check_memory(plan)
    candidate = plan.accelerator
    facts = CATALOG.accelerators[candidate.type]
    if candidate.capacity == "own":
        assert plan.cost.hourly_usd is None
        return
    machine = next(one for one in facts.machines if one.machine_type == candidate.machine_type)
    assert (machine.accelerators or 1) == candidate.count
    assert candidate.capacity in machine.capacity
    assert machine.memory_gib is not None
    assert plan.host.need_gib <= plan.host.memory_gib < machine.memory_gib or candidate.kind == "cpu"


def check_words(refusal: str) -> None:
    assert refusal.startswith("stacks/gemma4-")
    assert ADVICE.search(refusal), refusal
    assert max(len(line) for line in refusal.splitlines()[1:] or [""]) <= 80


WITHOUT_MACHINES = ("gemini",)


@pytest.mark.parametrize("framework", sorted({*CATALOG.frameworks} - {*WITHOUT_MACHINES}))
@pytest.mark.parametrize("model", sorted(CATALOG.models))
def test_every_cell_is_planned_and_proved_or_refused_with_what_to_do(model: str, framework: str) -> None:
    for accelerator in sorted(CATALOG.accelerators):
        for precision in PRECISIONS:
            answer = attempt(model, accelerator, framework, precision)
            if isinstance(answer, str):
                check_words(answer)
                continue
            if isinstance(answer, ServingPlan):
                check(answer)
            else:
                check_memory(answer)
            assert precision in {None, answer.precision}


@pytest.mark.parametrize("service", ["gemini", "serverless"])
@pytest.mark.parametrize("model", sorted(CATALOG.models))
def test_every_model_is_served_by_google_s_own_machines_or_refused_with_what_to_do(model: str, service: str) -> None:
    for line in ("", "tools: true", "reasoning: true", "inputs: [audio, text]", "inputs: [image, text, video]"):
        answer = served(model, service, *([line] if line else []))
        if isinstance(answer, str):
            check_words(answer)
            continue
        assert isinstance(answer, ManagedPlan)
        assert answer.model.request_model.endswith(("-it", "-it-maas"))
        assert (answer.accelerator, answer.memory, answer.cost.hourly_usd) == (None, None, None)
        assert "audio" not in answer.inputs


def test_the_cells_that_platform_teams_ask_for_are_planned() -> None:
    """A floor: a catalogue or rule that makes everything a refusal would pass the test above."""
    asked = [
        *[(f"gemma-4-{size}-it", "h100", "vllm") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "rtxpro6000", "vllm") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "l4", "llamacpp") for size in ("e2b", "e4b", "12b", "26b-a4b")],
        *[(f"gemma-4-{size}-it", "tpu-v6e", "vllm") for size in ("26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "cpu", "llamacpp") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "apple-64gb", "llamacpp") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "apple-128gb", "mlx") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "h100", "sglang") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "h100", "nim") for size in ("26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "h100", "trtllm") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
        *[(f"gemma-4-{size}-it", "h100", "vertex") for size in ("e4b", "31b")],
        *[(f"gemma-4-{size}-it", "rtxpro6000", "vertex") for size in ("e4b", "26b-a4b")],
        *[(f"gemma-4-{size}", "h100", "vllm") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
    ]
    answers = {cell: attempt(*cell, None) for cell in asked}
    assert {cell: answer for cell, answer in answers.items() if isinstance(answer, str)} == {}


def test_what_google_serves_on_its_own_machines_is_planned() -> None:
    asked = [("26b-a4b", "gemini"), ("31b", "gemini"), ("26b-a4b", "serverless")]
    answers = {one: served(f"gemma-4-{one[0]}-it", one[1]) for one in asked}
    assert {one: answer for one, answer in answers.items() if isinstance(answer, str)} == {}
