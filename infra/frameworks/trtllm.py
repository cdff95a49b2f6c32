"""TensorRT-LLM, experimental: `trtllm-serve` of release candidates, with the PyTorch backend and text alone.

Flags as in `tests/facts/trtllm-serve-options.txt`; nothing was run.
"""

from __future__ import annotations

import json

from infra.catalog.records import Accelerator, Model
from infra.frameworks.base import EngineConfig, Framework, KubernetesWorkload, from_plan, kept
from infra.frameworks.drain import wait_until_unused
from infra.frameworks.torch_engine import SHARED_MEMORY, environment, volumes
from infra.plan.capabilities import Capabilities
from infra.plan.demand import GIB, HostTerm, Setting
from infra.plan.kv_trtllm import (
    ELEMENT_BYTES,
    cache_permille,
    demand_terms,
    host_terms,
    running_requests,
)
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import ServingPlan
from infra.plan.weights import weights_bytes

PORT = 8000
_CONFIG, _CONFIG_FILE = "/etc/servestack/engine", "engine.json"


def _max_tensor(model: Model, _drafter: bool) -> int:
    return model.query_heads


def _step_tokens(_model: Model, _accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    return (0,)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 0


def _kv_cache_dtypes(accelerator: Accelerator) -> tuple[str, ...]:
    """e4m3 needs compute capability 8.9 (triton-lang/triton issue 4319): Ampere has 8.0 and 8.6."""
    return ("auto",) if accelerator.architecture == "ampere" else tuple(ELEMENT_BYTES)


def _host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    terms = host_terms(setting)
    return (*terms, SHARED_MEMORY) if setting.tensor > 1 else terms


def _settings(setting: Setting, have_bytes: int) -> tuple[tuple[str, int], ...]:
    whole = int((setting.accelerator.memory_gib or 0) * GIB)
    return (
        ("kvCacheFractionPermille", cache_permille(setting, whole_bytes=whole, have_bytes=have_bytes)),
        ("maxBatchSize", running_requests(setting.concurrency)),
        ("maxNumTokens", setting.tokens),
    )


def _objection(_model: Model, accelerator: Accelerator) -> str | None:
    if accelerator.id == "l4":
        return (
            "TensorRT-LLM fails with Gemma 4 on L4 (NVIDIA/TensorRT-LLM issue 14942, open). Use framework: vllm, or "
            "another accelerator."
        )
    return None


def _precision_objection(precision: str, accelerator: Accelerator) -> str | None:
    if precision == "nvfp4" and accelerator.architecture == "blackwell-sm120":
        return (
            f"TensorRT-LLM fails with NVFP4 on {accelerator.id} (NVIDIA/TensorRT-LLM issue 17052, open). Write bf16, "
            "or use framework: vllm."
        )
    return None


def _cautions(_setting: Setting) -> tuple[str, ...]:
    return (
        "its memory is an upper bound: every layer's cache in full, a step as long as a request; nothing was measured",
        "text alone is planned; the engine takes images and sounds all the same, and their memory is not counted",
    )


def _args(plan: ServingPlan) -> tuple[str, ...]:
    """Every flag from the plan.

    Raises:
        RefusedError: arguments of the stack file, which are not checked for this framework.
    """
    if plan.engine_args:
        raise RefusedError(("engine", "args"), "arguments of TensorRT-LLM are not checked yet; leave it out.")
    settings = dict(plan.settings)
    args = [
        plan.weights.model_path,
        f"--served_model_name={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={PORT}",
        "--backend=pytorch",
        f"--tp_size={plan.parallelism.tensor}",
        f"--max_batch_size={settings['maxBatchSize']}",
        f"--max_num_tokens={settings['maxNumTokens']}",
        f"--max_seq_len={plan.context.max_model_len}",
        f"--config={_CONFIG}/{_CONFIG_FILE}",
    ]
    return tuple(args)


def _config(plan: ServingPlan) -> EngineConfig:
    """Settings that have no flag. JSON is YAML too; the caches of Gemma 4 are not reused between requests."""
    cache: dict[str, object] = {
        "enable_block_reuse": False,
        "free_gpu_memory_fraction": dict(plan.settings)["kvCacheFractionPermille"] / 1000,
    }
    if plan.memory.kv_cache_dtype != "auto":
        cache["dtype"] = plan.memory.kv_cache_dtype
    settings = {"enable_iter_perf_stats": True, "kv_cache_config": cache, "return_perf_metrics": True}
    return EngineConfig(_CONFIG, ((_CONFIG_FILE, json.dumps(settings, indent=2, sort_keys=True) + "\n"),))


def _env() -> tuple[tuple[str, str], ...]:
    """Caches on writable mounts, usage statistics off. The image's own search path for libraries stays."""
    return environment(
        {
            "LOGNAME": "trtllm",
            "TMPDIR": "/tmp",
            "TRTLLM_NO_USAGE_STATS": "1",
        }
    )


def workload(plan: ServingPlan) -> KubernetesWorkload:
    """Deployment of `trtllm-serve`. Not run on a real image, which runs as root and documents no other user.

    uid 65534 is `nobody` of its Ubuntu base, assumed. What it does on SIGTERM is not documented: the pre-stop waits
    until nobody is connected.
    """
    return KubernetesWorkload(
        plan=plan,
        container="trtllm",
        command=("trtllm-serve", "serve"),
        args=_args(plan),
        env=_env(),
        pre_stop=wait_until_unused(plan.timing, PORT),
        run_as_user=65534,
        read_only_root=True,
        volumes=volumes(plan),
        config=(_config(plan),),
        **from_plan(plan, PORT, "/health", "/prometheus/metrics"),
    )


FRAMEWORK = Framework(
    name="trtllm",
    capabilities=Capabilities(
        kinds=("gpu",),
        utilization=0.95,
        max_tensor=_max_tensor,
        step_field=None,
        step_tokens=_step_tokens,
        step_floor=_floor,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("fp8",),
        weights_bytes=kept(weights_bytes),
        terms=demand_terms,
        host_terms=_host_terms,
        settings=_settings,
        objection=_objection,
        precision_objection=_precision_objection,
        drafters=False,
        cautions=_cautions,
        engine_seconds=180,
        pre_stop_seconds=15,
        drain_seconds=60,
    ),
    workload=workload,
)
