"""What engines and machines cannot do: the plan refuses it, or counts it, before a machine is paid for."""

from __future__ import annotations

import pytest
import yaml

from infra.catalog.loader import load_catalog
from infra.errors import PlanError
from infra.naming import base_name
from infra.pipeline import Endpoint, build
from infra.spec import EndpointSpec
from tests.unit.files import HOST, Files

CATALOG = load_catalog()
LOCAL = "apiVersion: servestack/v1\nkind: Platform\nlocal: {memoryGiB: 16}\n"


def attempt(
    model: str, accelerator: object, framework: str = "vllm", platform: str = "dev", **more: object
) -> Endpoint:
    values = {
        "apiVersion": "servestack/v1",
        "kind": "Endpoint",
        "platform": platform,
        "model": model,
        "accelerator": accelerator,
        "framework": framework,
        **more,
    }
    name = base_name(EndpointSpec.model_validate(values), CATALOG)
    built = build(name, Files(**{name: yaml.safe_dump(values, sort_keys=False), "mac": HOST, "laptop": LOCAL}))
    assert isinstance(built, Endpoint)
    return built


def refusal(*what: object, **more: object) -> str:
    with pytest.raises(PlanError) as refused:
        attempt(*what, **more)  # type: ignore[arg-type]
    return str(refused.value)


def test_a_processor_has_one_memory_and_the_proof_counts_what_others_keep_beside_it() -> None:
    plan = attempt("gemma-4-e4b-it", "cpu", "llamacpp", "laptop").plan
    assert {"prompt cache", "context checkpoints"} <= {term.name for term in plan.memory.terms}
    assert plan.memory.need_gib <= plan.memory.have_gib
    assert attempt("gemma-4-31b-it", "cpu", "llamacpp").plan.accelerator.machine_type == "e2-standard-16"


def test_a_mac_has_one_memory_and_both_parts_must_fit_it() -> None:
    """31B with two requests: 22.3 GiB for the GPU, 7.6 GiB beside it, and macOS needs some of the 36."""
    said = refusal("gemma-4-31b-it", "apple-36gb", "llamacpp", "mac", concurrency=2)
    assert "beside 22.3 GiB for the GPU, and apple-36gb gives 27 GiB to both." in said
    assert "\n  concurrency: 1 " in said
    assert attempt("gemma-4-31b-it", "apple-36gb", "llamacpp", "mac", concurrency=1).plan.host.need_gib > 0


def test_no_container_image_is_pulled_on_a_mac() -> None:
    plan = attempt("gemma-4-e4b-it", "apple-16gb", "llamacpp", "mac").plan
    assert not plan.framework.image
    assert "image" not in {term.name for term in plan.timing.startup_terms}


def test_too_little_host_memory_is_met_with_the_nearest_plans() -> None:
    said = refusal("gemma-4-26b-a4b-it", "l4", "llamacpp", concurrency=64, contextLength=256, inputs=["text"])
    assert "GiB of host memory" in said
    assert "\n  concurrency: 61 " in said


def test_llama_cpp_has_256_slots() -> None:
    ask = {"contextLength": 256, "inputs": ["text"]}
    assert "concurrency: llama.cpp serves at most 256" in refusal(
        "gemma-4-e2b-it", "l4", "llamacpp", concurrency=257, **ask
    )
    assert attempt("gemma-4-e2b-it", "l4", "llamacpp", **ask).plan.memory.max_concurrent_requests == 256


def test_vllm_runs_no_more_requests_than_a_step_has_tokens() -> None:
    more = {"contextLength": 256, "inputs": ["text"], "engine": {"maxNumBatchedTokens": 300}}
    plan = attempt("gemma-4-e2b-it", "h100", capacity=["spot"], **more).plan
    assert plan.memory.max_concurrent_requests == 300


@pytest.mark.parametrize("dtype", ["f32", "iq4_nl", "q4_1", "q5_0", "q5_1"])
def test_a_cache_without_an_attention_kernel_is_refused_on_a_gpu(dtype: str) -> None:
    assert f"keeps no {dtype} KV cache on l4" in refusal(
        "gemma-4-e2b-it", "l4", "llamacpp", engine={"kvCacheDtype": dtype}
    )


def test_a_quantised_cache_comes_with_flash_attention() -> None:
    args = attempt("gemma-4-e2b-it", "l4", "llamacpp", engine={"kvCacheDtype": "q8_0"}).workload.args
    assert args[args.index("--flash-attn") + 1] == "on"
    assert args[args.index("--cache-type-v") + 1] == "q8_0"


def test_the_nearest_macs_are_the_smallest_that_fit() -> None:
    said = refusal("gemma-4-31b-it", "apple-16gb", "llamacpp", "mac")
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  accelerator: ")] == [
        "apple-36gb",
        "apple-48gb",
        "apple-64gb",
    ]


def test_what_else_must_go_is_said_with_the_nearest_plan() -> None:
    said = refusal("gemma-4-31b-it", "l4", "tgi", precision="w4a16", engine={"tensorParallelSize": 2})
    vllm = said.splitlines().index("  framework: vllm         2.00 USD/h  2 x l4, w4a16, on-demand")
    assert not said.splitlines()[vllm + 1 :]
    said = refusal("gemma-4-31b-it", "l4", "tgi", engine={"kvCacheDtype": "int8"})
    assert "    and without engine" in said.splitlines()


def test_a_nearest_plan_keeps_the_budget() -> None:
    ask = {"precision": "bf16", "budgetUsdPerMonth": 3300}
    said = refusal("gemma-4-31b-it", {"type": "l4", "count": 2}, **ask)
    assert "accelerator: rtxpro6000 " in said
    assert "a100-80gb" not in said


def test_a_setting_of_the_engine_that_is_in_the_way_is_among_the_nearest_plans() -> None:
    said = refusal("gemma-4-31b-it", {"type": "l4", "count": 2}, engine={"gpuMemoryUtilization": 0.3})
    assert "\n  engine.gpuMemoryUtilization: left out\n" in said
    assert max(len(line) for line in said.splitlines()[1:]) <= 80


def test_a_framework_without_the_model_is_what_is_wrong_not_a_precision_that_nobody_wrote() -> None:
    said = refusal("gemma-4-31b", "rtxpro6000", "llamacpp")
    assert ".yaml:6:12: framework: llama.cpp has no checkpoint of gemma-4-31b" in said
    assert "\n  framework: vllm " in said
    assert "keras" not in said


def test_a_checkpoint_of_another_precision_says_which_it_has() -> None:
    named = {"checkpoint": "google/gemma-4-31B-it-qat-w4a16-ct"}
    said = refusal("gemma-4-31b-it", "l4", precision="bf16", weights=named)
    assert "precision: google/gemma-4-31B-it-qat-w4a16-ct is w4a16; write that, or leave it out." in said


def test_one_accelerator_cannot_be_split() -> None:
    said = refusal("gemma-4-e2b-it", "l4", "llamacpp", engine={"tensorParallelSize": 2})
    assert "llama.cpp runs gemma-4-e2b-it on one accelerator; leave it out." in said


def test_a_framework_that_does_not_run_there_is_met_with_those_that_do() -> None:
    said = refusal("gemma-4-12b-it", "cpu")
    assert "vLLM does not run on cpu." in said
    assert "\n  framework: llamacpp " in said
