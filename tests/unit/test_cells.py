"""Every stack that can be composed from the catalogue is planned with a proof, or refused with something to do."""

from __future__ import annotations

import re

import pytest

from infra.catalog.loader import load_catalog
from infra.errors import PlanError, SpecError
from infra.naming import base_name
from infra.pipeline import Endpoint, build
from infra.plan.serving_plan import ServingPlan
from infra.spec import Accelerator, EndpointSpec
from tests.unit.files import ENGINES, HOST, Files, endpoint

CATALOG = load_catalog()
PRECISIONS = [None, *sorted({one.precision for model in CATALOG.models.values() for one in model.checkpoints})]
# Words by which a refusal says what to do.
ADVICE = re.compile(
    r"[Uu]se |[Ww]rite |[Ii]t (loads|takes|runs|serves|fits|splits|has)|leave it out|They take|[Mm]achines carry"
    r"|say how much"
)


def attempt(model: str, accelerator: str, framework: str, precision: str | None) -> ServingPlan | str:
    """The plan of a cell, or the words with which it is refused."""
    lines = [f"precision: {precision}"] if precision else []
    lines += [ENGINES[framework]] if framework in ENGINES else []
    spec = EndpointSpec.model_construct(
        model=model, accelerator=Accelerator(type=accelerator), framework=framework, precision=precision
    )
    name = base_name(spec, CATALOG)
    platform = "mac" if accelerator.startswith("apple") else "dev"
    text = endpoint(model, accelerator, framework, *lines).replace("platform: dev", f"platform: {platform}")
    try:
        built = build(name, Files(**{name: text, "mac": HOST}))
    except PlanError as refused:
        return str(refused)
    except SpecError as wrong:
        raise AssertionError(f"{name}: {wrong}") from wrong
    assert isinstance(built, Endpoint)
    return built.plan


def check(plan: ServingPlan) -> None:
    memory, candidate = plan.memory, plan.accelerator
    assert memory.need_gib <= memory.have_gib <= memory.per_accelerator_gib
    total = memory.weights_gib + memory.kv_cache_gib + memory.overhead_gib + memory.headroom_gib
    assert total == pytest.approx(memory.per_accelerator_gib)
    assert memory.need_gib == pytest.approx(sum(one.size_gib + one.uncertainty_gib for one in memory.terms))
    assert candidate.count == plan.parallelism.tensor * plan.parallelism.pipeline * plan.parallelism.data
    assert memory.max_concurrent_requests >= plan.context.concurrency
    assert memory.max_context_tokens >= plan.context.max_model_len
    assert plan.model.checkpoint
    facts = CATALOG.accelerators[candidate.type]
    if candidate.capacity == "own":
        assert plan.cost.hourly_usd is None
        return
    machine = next(one for one in facts.machines if one.machine_type == candidate.machine_type)
    assert (machine.accelerators or 1) == candidate.count
    assert candidate.capacity in machine.capacity
    assert machine.memory_gib is not None
    assert plan.host.need_gib <= plan.host.memory_gib < machine.memory_gib or candidate.kind == "cpu"


@pytest.mark.parametrize("framework", sorted(CATALOG.frameworks))
@pytest.mark.parametrize("model", sorted(CATALOG.models))
def test_every_cell_is_planned_and_proved_or_refused_with_what_to_do(model: str, framework: str) -> None:
    for accelerator in sorted(CATALOG.accelerators):
        for precision in PRECISIONS:
            answer = attempt(model, accelerator, framework, precision)
            if isinstance(answer, ServingPlan):
                check(answer)
                assert precision in {None, answer.precision}
            else:
                assert answer.startswith("stacks/gemma4-")
                assert ADVICE.search(answer), answer
                assert max(len(line) for line in answer.splitlines()[1:] or [""]) <= 80


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
        *[(f"gemma-4-{size}", "h100", "vllm") for size in ("e2b", "e4b", "12b", "26b-a4b", "31b")],
    ]
    answers = {cell: attempt(*cell, None) for cell in asked}
    assert {cell: answer for cell, answer in answers.items() if isinstance(answer, str)} == {}
