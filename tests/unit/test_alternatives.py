"""What a plan says of the choices that it made for price: what else there was, and what it cost."""

from __future__ import annotations

import re

import pytest

from infra.plan.cost import cost
from infra.plan.ladder import rungs
from infra.plan.search import choose
from infra.report import plan_text
from infra.spec import Capacity
from tests.unit.test_engine_limits import attempt, refusal

MODEL = "gemma-4-31b-it"


def reason(field: str, *what: object, **more: object) -> str:
    plan = attempt(*what, **more).plan  # type: ignore[arg-type]
    return next(one.reason for one in plan.decisions if one.field == field)


def test_the_best_precision_is_priced_where_a_cheaper_one_was_chosen() -> None:
    said = reason("precision", MODEL, "l4")
    assert "bf16 would take 4 x l4 on g2-standard-48, on-demand, 16,384 tokens, 4.00 USD per hour" in said
    same = attempt(MODEL, "l4", precision="bf16").plan
    assert (same.accelerator.count, same.context.max_model_len, same.cost.hourly_usd) == (4, 16384, 4.0)


def test_where_the_best_precision_fits_nowhere_that_is_said() -> None:
    assert "bf16 fits no machine with l4" in reason("precision", MODEL, {"type": "l4", "count": 2})


@pytest.mark.parametrize("more", [{"precision": "w4a16"}, {"weights": {"checkpoint": "google/gemma-4-31B-it"}}])
def test_no_other_precision_is_priced_where_the_file_names_one(more: dict[str, object]) -> None:
    assert "would take" not in reason("precision", MODEL, "l4", **more)


def test_a_machine_that_can_be_taken_away_is_said_aloud_with_the_price_of_one_that_stays() -> None:
    plan = attempt(MODEL, "h100").plan
    assert plan.accelerator.capacity == "flex-start"
    (caution,) = plan.cautions
    assert "capacity is left out, and this is flex-start: it runs at most seven days" in caution
    assert "'capacity: [on-demand]' would take 8 x h100 on a3-highgpu-8g" in caution
    assert "88.49 USD per hour" in caution
    assert re.search(r"^  caution     capacity is left out", plan_text(plan), re.MULTILINE)
    assert not any("capacity" in one for one in attempt(MODEL, "h100", capacity=["spot"]).plan.cautions)
    assert not any("capacity" in one for one in attempt(MODEL, "l4").plan.cautions)


def test_a_timeout_below_the_estimate_and_an_answer_that_is_cut_are_said() -> None:
    plan = attempt(MODEL, "h100", capacity=["spot"], startupTimeoutSeconds=10, longestAnswerSeconds=300).plan
    assert ["startupTimeoutSeconds" in one for one in plan.cautions] == [True, False]
    assert "answers of 300 s are cut after 8 s" in plan.cautions[1]


def test_a_lower_rung_says_for_how_many_requests_it_has_room() -> None:
    made = attempt(MODEL, "h100", capacity=["on-demand"]).resolved
    spot = (Capacity.model_validate("spot"),)
    chosen = [made.choice, choose(made.request, spot)]
    prices = [cost(made.request, one.candidate) for one in chosen]
    first, second = rungs(made.request, chosen, prices, made.plan.memory.max_concurrent_requests)
    least, most = second.max_concurrent_requests, first.max_concurrent_requests
    assert least < most
    assert f"full requests at once: room for {least} instead of {most}" in second.loses


@pytest.mark.parametrize(("rungs", "index"), [(["on-demand", "spot"], 0), (["spot", "on-demand"], 1)])
def test_a_rung_that_cannot_serve_is_named(rungs: list[str], index: int) -> None:
    said = refusal("gemma-4-12b-it", "h100", "llamacpp", capacity=rungs)
    assert f": capacity[{index}]: " in said
    assert "machines carry 8 x h100" in said


def test_the_first_rung_is_named_where_it_is_not_sold() -> None:
    assert ": capacity[0]: Compute Engine does not sell" in refusal(MODEL, "l4", capacity=["flex-start", "spot"])


def test_another_capacity_is_among_the_nearest_plans() -> None:
    said = refusal("gemma-4-12b-it", "h100", "llamacpp", capacity=["on-demand"])
    assert re.search(r"^  capacity: \[flex-start\] +<= +11\.06 USD/h", said, re.MULTILINE)


def test_a_budget_that_is_too_small_says_how_much_and_what_keeps_it() -> None:
    said = refusal(MODEL, "h100", capacity=["spot"], budgetUsdPerMonth=5000)
    assert "Write 8075 or more." in said
    assert attempt(MODEL, "h100", capacity=["spot"], budgetUsdPerMonth=8075)
    assert "\n  accelerator: l4 " in said


@pytest.mark.parametrize("more", [{"replicas": {"min": 1, "max": 2}}, {"capacity": ["on-demand", "spot"]}])
def test_an_argument_of_the_plan_is_refused_in_what_is_only_planned_too(more: dict[str, object]) -> None:
    said = refusal("gemma-4-e4b-it", "l4", engine={"args": ["--max-model-len=5"]}, **more)
    assert "engine.args[0]: --max-model-len is the plan's" in said


def test_arguments_that_nobody_checks_are_refused() -> None:
    assert "engine.args: " in refusal("gemma-4-e4b-it", "apple-16gb", "mlx", "mac", engine={"args": ["--x"]})


def test_stages_and_copies_share_memory_as_tensor_parallel_does() -> None:
    built = attempt(MODEL, "l4", engine={"tensorParallelSize": 1})
    assert built.plan.parallelism.pipeline == 2
    shared = next(one for one in built.workload.volumes if one.mount_path == "/dev/shm")
    assert shared.size_gib == 12
    one, two = (
        attempt("gemma-4-e2b-it", {"type": "l4", "count": count}, precision="bf16", engine={"dataParallelSize": count})
        for count in (1, 2)
    )
    assert two.plan.host.need_gib - one.plan.host.need_gib == pytest.approx(8 + 12)


def test_parallelism_is_the_stacks_own_only_where_it_says_all_of_it() -> None:
    def origin(engine: dict[str, int], count: int) -> str:
        plan = attempt(MODEL, {"type": "l4", "count": count}, engine=engine).plan
        return next(one.origin for one in plan.decisions if one.field == "parallelism")

    assert origin({"tensorParallelSize": 2}, 2) == "stack"
    assert origin({"tensorParallelSize": 2}, 4) == "derived"


def test_a_machine_of_ones_own_is_the_platforms_choice() -> None:
    plan = attempt("gemma-4-e4b-it", "cpu", "llamacpp", "laptop").plan
    origins = {one.field: one.origin for one in plan.decisions}
    assert origins["accelerator.capacity"] == origins["accelerator.machineType"] == "platform"


def test_a_ladder_may_begin_with_a_reservation_wherever_machines_are_sold_on_demand() -> None:
    """H100 machines below eight accelerators are Spot or Flex-start; lower rungs have the first one's pods."""
    rungs = [{"reservation": "r1"}, "on-demand", "flex-start", "spot"]
    ladder = attempt(MODEL, "h100", capacity=rungs).plan.ladder
    assert [rung.count for rung in ladder] == [8, 8, 8, 8]
    assert [rung.reservation for rung in ladder] == ["r1", None, None, None]
    assert "capacity[0]" in refusal(MODEL, {"type": "h100", "count": 1}, capacity=rungs)


def test_the_queue_of_flex_start_is_not_promised_away() -> None:
    machine = attempt(MODEL, "h100").plan.timing.startup_terms[0]
    assert "queue comes on top" in machine.basis


def test_data_ranks_of_experts_speak_with_each_other() -> None:
    def unsure(model: str, count: int) -> float:
        shape = {"type": "rtxpro6000", "count": count}
        terms = attempt(model, shape, precision="bf16", engine={"dataParallelSize": count}).plan.memory.terms
        return next(term.uncertainty_gib for term in terms if term.name == "outside PyTorch")

    assert unsure("gemma-4-26b-a4b-it", 2) - unsure("gemma-4-26b-a4b-it", 1) == pytest.approx(0.25)
    assert unsure("gemma-4-12b-it", 2) == unsure("gemma-4-12b-it", 1)


@pytest.mark.parametrize(
    "argument",
    [
        "--compilation-config=x",
        "--enable-expert-parallel",
        "--max-cudagraph-capture-size=2048",
        "--no-enable-chunked-prefill",
        "--skip-mm-profiling",
    ],
)
def test_an_argument_on_which_the_proof_rests_is_refused(argument: str) -> None:
    assert f"{argument.split('=')[0]} is refused" in refusal("gemma-4-e4b-it", "l4", engine={"args": [argument]})
