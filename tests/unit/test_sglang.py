"""SGLang's flags agree with the proof: the engine's own sizing, restated here, gives at least the guaranteed pools."""

from __future__ import annotations

import itertools
import json

import pytest

from infra.errors import PlanError
from infra.pipeline import Endpoint, build
from tests.unit.files import Files, endpoint
from tests.unit.test_kv_llamacpp import models

CONTEXT_GIB = (0.0, 0.5, 1.0)  # of the driver; the proof counts up to the last
MM_CACHE_GIB = 100 / 1024
NAME = "gemma4-31b-h100-sglang"
TWO = "{type: h100, count: 2}"
PLACES = [(1, "flex-start"), (2, "spot"), (8, "on-demand")]
CASES = list(itertools.product(PLACES, (4096, 20000, 32768), (1, 3, 8), (False, True), ("image, text", "text")))


def planned(accelerator: str, *more: str, model: str = "gemma-4-31b-it") -> Endpoint:
    built = build(NAME, Files(**{NAME: endpoint(model, accelerator, "sglang", *more)}))
    assert isinstance(built, Endpoint)
    return built


def flags(one: Endpoint) -> dict[str, str]:
    return {name: value for name, _, value in (word.partition("=") for word in one.workload.args)}


def beside_gib(one: Endpoint) -> float:
    """What the engine takes outside its static share, the driver's context left out, at most."""
    terms = [term for term in one.plan.memory.terms if term.kind == "overhead" and term.name != "driver context"]
    return sum(term.size_gib + term.uncertainty_gib for term in terms) - MM_CACHE_GIB


def check(one: Endpoint) -> None:
    memory, context = one.plan.memory, one.plan.context
    used, tensor = flags(one), one.plan.parallelism.tensor
    share = float(used["--mem-fraction-static"])
    weights = sum(term.size_gib + term.uncertainty_gib for term in memory.terms if term.kind == "weights")
    guaranteed = sum(term.size_gib for term in memory.terms if term.kind == "kv")
    collective = tensor / 8 if tensor > 1 else 0.0
    for driver, before in itertools.product(CONTEXT_GIB, (0.0, collective)):
        free = memory.per_accelerator_gib - driver - before
        assert share * free - weights - MM_CACHE_GIB >= guaranteed - 1e-6
        whole = driver + before + share * free + beside_gib(one) - before
        assert whole <= memory.have_gib + collective + 0.001 * memory.per_accelerator_gib
    assert int(used["--tp-size"]) == tensor
    assert int(used["--context-length"]) == context.max_model_len
    assert int(used["--chunked-prefill-size"]) == context.max_num_batched_tokens
    assert int(used["--max-running-requests"]) >= context.concurrency
    window = models()["31b"].sliding_window_tokens
    whole_tokens = context.max_model_len * context.concurrency
    assert float(used["--swa-full-tokens-ratio"]) * (whole_tokens + context.concurrency) >= min(window, whole_tokens)


def test_the_engine_makes_the_guaranteed_pools_and_leaves_the_rest_free() -> None:
    proved = 0
    for (count, capacity), tokens, concurrency, drafter, inputs in CASES:
        more = [f"capacity: [{capacity}]", f"contextLength: {tokens}", f"concurrency: {concurrency}"]
        more += [f"inputs: [{inputs}]", f"speculativeDecoding: {str(drafter).lower()}"]
        try:
            one = planned(f"{{type: h100, count: {count}}}", *more)
        except PlanError:
            continue
        check(one)
        proved += 1
    assert proved > len(CASES) / 2


def test_parsers_and_drafter_are_given_when_asked_for_and_only_then() -> None:
    plain = flags(planned(TWO, "capacity: [spot]"))
    assert not {flag for flag in plain if "parser" in flag or "speculative" in flag or "trust" in flag}
    asked = flags(planned(TWO, "capacity: [spot]", "tools: true", "reasoning: true", "speculativeDecoding: true"))
    assert asked["--tool-call-parser"] == asked["--reasoning-parser"] == "gemma4"
    assert int(asked["--speculative-num-draft-tokens"]) == int(asked["--speculative-num-steps"]) + 1
    assert json.loads(asked["--limit-mm-data-per-request"]) == {"audio": 0, "image": 4, "video": 0}


@pytest.mark.parametrize(
    "flag", ["--trust-remote-code", "--api-key=k", "--mem-fraction-static=0.9", "--quantization=fp8"]
)
def test_flags_of_the_plan_and_dangerous_ones_are_refused(flag: str) -> None:
    with pytest.raises(PlanError, match=r"engine\.args"):
        planned(TWO, "capacity: [spot]", f"engine: {{args: ['{flag}']}}")


def test_it_fetches_nothing_that_a_request_names_unless_the_stack_names_the_host() -> None:
    assert flags(planned(TWO, "capacity: [spot]"))["--allowed-media-domains"].endswith(".invalid")
    named = planned(TWO, "capacity: [spot]", "engine: {args: [--allowed-media-domains=cdn.example]}")
    assert [one for one in named.workload.args if "media-domains" in one] == ["--allowed-media-domains=cdn.example"]


@pytest.mark.parametrize("capacity", ["spot", "flex-start"])
def test_running_answers_end_within_the_grace_period(capacity: str) -> None:
    one = planned(TWO, f"capacity: [{capacity}]")
    timing, grace = one.plan.timing, one.workload.termination_grace_period_seconds
    assert one.workload.pre_stop == {"sleep": {"seconds": timing.pre_stop_seconds}}
    assert timing.pre_stop_seconds + timing.drain_seconds < grace
    assert capacity != "spot" or grace <= 15


def test_tensor_parallel_gets_shared_memory_and_probes_take_the_cheap_path() -> None:
    one = planned(TWO, "capacity: [spot]")
    assert next(volume for volume in one.workload.volumes if volume.name == "shm").size_gib > 2
    assert "rewrite /ready\n" in one.workload.proxy.config
