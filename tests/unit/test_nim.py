"""NIM runs vLLM as the plan proved it: its flags, at least its memory, and no Secret but by name."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from infra.errors import PlanError
from infra.pipeline import Endpoint, build
from tests.unit.files import ENGINES, Files, endpoint

# NIM support matrix (docs.nvidia.com): sizes of the weights, in GB, to the digits given.
LISTED_GB = {("31b", "bf16"): 62.6, ("31b", "nvfp4"): 32.7, ("31b", "w4a16"): 23.3, ("26b-a4b", "nvfp4"): 19.0}


def planned(size: str, accelerator: str, *more: str) -> Endpoint:
    precision = next((f"{line.split()[1]}-" for line in more if line.startswith("precision: ")), "").replace(
        "bf16-", ""
    )
    name = f"gemma4-{size}-{precision}{accelerator.split(',')[0].rpartition(' ')[2]}-nim"
    built = build(name, Files(**{name: endpoint(f"gemma-4-{size}-it", accelerator, "nim", ENGINES["nim"], *more)}))
    assert isinstance(built, Endpoint)
    return built


def container(one: Endpoint) -> dict[str, Any]:
    deployment = next(body for body in one.objects() if body["kind"] == "Deployment")
    (engine,) = deployment["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = engine
    return found


CASES = [
    ("31b", "{type: h100, count: 4}", ()),
    ("31b", "{type: h100, count: 2}", ("tools: true", "reasoning: true", "contextLength: 8192", "concurrency: 4")),
    ("26b-a4b", "{type: h100, count: 2}", ("inputs: [text]",)),
]


@pytest.mark.parametrize(("size", "accelerator", "more"), CASES)
def test_the_engine_gets_the_flags_of_the_proof(size: str, accelerator: str, more: tuple[str, ...]) -> None:
    one = planned(size, accelerator, *more)
    passed = dict(one.workload.env)["NIM_PASSTHROUGH_ARGS"]
    flags = {name: value for name, _, value in (word.partition("=") for word in shlex.split(passed))}
    assert int(flags["--max-model-len"]) == one.plan.context.max_model_len
    assert int(flags["--tensor-parallel-size"]) == one.plan.parallelism.tensor
    assert int(flags["--max-num-batched-tokens"]) == one.plan.context.max_num_batched_tokens
    assert float(flags["--gpu-memory-utilization"]) == one.plan.memory.utilization
    assert ("--tool-call-parser" in flags) == one.plan.tools
    assert not {"--host", "--port", "--chat-template", "--revision"} & set(flags)
    split = one.plan.parallelism
    assert dict(one.workload.env)["NIM_MODEL_PROFILE"] == f"vllm-{one.plan.precision}-tp{split.tensor}-pp1"


@pytest.mark.parametrize("count", [2, 4, 8])
@pytest.mark.parametrize("tokens", [4096, 32768])
def test_it_is_charged_at_least_what_vllm_is(count: int, tokens: int) -> None:
    accelerator = f"{{type: h100, count: {count}}}"
    capacity = {2: "spot", 4: "spot", 8: "on-demand"}[count]
    more = (f"contextLength: {tokens}", "precision: bf16", f"capacity: [{capacity}]", "concurrency: 2")
    step = "maxNumBatchedTokens: 4096"
    nim = build_with(accelerator, "nim", ENGINES["nim"].replace("{", f"{{{step}, tensorParallelSize: {count}, "), *more)
    own = build_with(accelerator, "vllm", f"engine: {{{step}, tensorParallelSize: {count}}}", *more)
    assert nim.plan.memory.need_gib >= own.plan.memory.need_gib
    assert nim.plan.memory.kv_cache_per_request_gib >= own.plan.memory.kv_cache_per_request_gib
    assert nim.plan.memory.uncertainty_gib > own.plan.memory.uncertainty_gib


def build_with(accelerator: str, framework: str, *more: str) -> Endpoint:
    name = f"gemma4-31b-h100{'' if framework == 'vllm' else '-nim'}-x"
    built = build(name, Files(**{name: endpoint("gemma-4-31b-it", accelerator, framework, *more)}))
    assert isinstance(built, Endpoint)
    return built


@pytest.mark.parametrize(("size", "precision"), LISTED_GB)
def test_weights_are_counted_as_its_support_matrix_lists_them(size: str, precision: str) -> None:
    one = planned(size, "rtxpro6000" if precision != "bf16" else "{type: h100, count: 4}", f"precision: {precision}")
    size_gb = one.plan.timing.weights_bytes / 1e9
    assert size_gb == pytest.approx(LISTED_GB[size, precision], abs=0.25)


def test_secrets_stand_in_the_pod_by_name_alone() -> None:
    one = planned("31b", "{type: h100, count: 4}")
    deployment = next(body for body in one.objects() if body["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["imagePullSecrets"] == [{"name": "ngc-registry"}]
    key = next(entry for entry in container(one)["env"] if entry["name"] == "NGC_API_KEY")
    assert key == {"name": "NGC_API_KEY", "valueFrom": {"secretKeyRef": {"name": "ngc-key", "key": "NGC_API_KEY"}}}
    assert not {"command", "args"} & set(container(one)), "the image's own entry point starts both processes"
    assert any("ngc-registry" in caution and "ngc-key" in caution for caution in one.plan.cautions)


def test_an_argument_that_is_the_plans_is_refused_as_for_vllm() -> None:
    with pytest.raises(PlanError, match=r"engine\.args"):
        build_with("{type: h100, count: 4}", "nim", ENGINES["nim"].replace("{", "{args: [--max-model-len=9], "))
