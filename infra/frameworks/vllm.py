"""vLLM: the OpenAI-compatible server of `vllm/vllm-openai` images."""

from __future__ import annotations

import json

from infra.catalog.records import Accelerator, Model
from infra.frameworks import vllm_tpu
from infra.frameworks.arguments import with_engine_args
from infra.frameworks.base import (
    Framework,
    KubernetesWorkload,
    from_plan,
    kept,
)
from infra.frameworks.torch_engine import CACHE, SHARED_MEMORY, environment, volumes
from infra.frameworks.vllm_args import adapter_args, media_args
from infra.frameworks.vllm_flags import DENIED, OWNED
from infra.frameworks.vllm_group import group_args, worker_args
from infra.plan.capabilities import Capabilities
from infra.plan.demand import GIB, HostTerm, Setting, Term
from infra.plan.kv_vllm import block_bytes, block_tokens, concurrent_batches, max_pipeline, request_bytes
from infra.plan.lora import adapter_host_terms, adapter_terms
from infra.plan.overhead_vllm import (
    LONGEST_ITEM_TOKENS,
    collective,
    outside_share_bytes,
    overhead_terms,
    sequences,
)
from infra.plan.prefill_shares import TORCH_ENGINES_ON_TPU
from infra.plan.serving_plan import ServingPlan
from infra.plan.weights import weight_terms, weights_bytes

PORT = 8000
_KV_SOURCE = "vllm 0.33.0 v1/core/kv_cache_planning.py: what admission charges"
_DRAFTER_HEADS = 4
_PROCESSES_GIB = 8
_LARGE_CARD_GIB, _HUGE_CARD_GIB = 70, 160


def _max_tensor(model: Model, drafter: bool) -> int:
    """A head is never split; the drafters of the E sizes have four."""
    return min(model.query_heads, _DRAFTER_HEADS) if drafter and model.per_layer_embedding else model.query_heads


def _max_tokens(model: Model, accelerator: Accelerator) -> int:
    return vllm_tpu.TOKENS if accelerator.kind == "tpu" else model.max_context_tokens


def _floor(model: Model, inputs: tuple[str, ...]) -> int:
    """One item must fit one step where attention is bidirectional over images."""
    return LONGEST_ITEM_TOKENS if model.bidirectional_over_images and set(inputs) != {"text"} else 256


def _batched_tokens(model: Model, accelerator: Accelerator, inputs: tuple[str, ...]) -> tuple[int, ...]:
    """The engine's own default for the card (vllm 0.33.0 engine/arg_utils.py) or 4096, then smaller steps."""
    default = 2048
    memory_gib = accelerator.memory_gib or 0
    if accelerator.kind == "tpu":
        default = 1024
    elif memory_gib >= _HUGE_CARD_GIB:
        default = 16384
    elif _is_large(accelerator.id, memory_gib):
        default = 8192
    floor = _floor(model, inputs)
    sizes = sorted({default, 8192, 4096, 2048, floor}, reverse=True)
    return tuple(size for size in sizes if floor <= size <= max(default, 4096))


def _is_large(accelerator: str, memory_gib: float) -> bool:
    """Whether vLLM gives the card its larger defaults (vllm 0.33.0 engine/arg_utils.py leaves the A100 out)."""
    return memory_gib >= _LARGE_CARD_GIB and not accelerator.startswith("a100")


def _kv_bytes(setting: Setting) -> int:
    """KV cache of all guaranteed requests of one data rank, and the block that the engine keeps back."""
    element_bytes = 1 if setting.kv_cache_dtype == "fp8" else 2
    block = block_tokens(setting.accelerator.architecture, element_bytes)
    hybrid = setting.hybrid_kv and setting.accelerator.kind != "tpu"
    model, tensor, pipeline = setting.model, setting.tensor, setting.pipeline
    request = request_bytes(
        model,
        tokens=setting.tokens,
        tensor=tensor,
        pipeline=pipeline,
        batched_tokens=setting.batched_tokens,
        concurrent_batches=concurrent_batches(setting.version, pipeline),
        element_bytes=element_bytes,
        block_tokens=block,
        hybrid=hybrid,
    )
    kept_back = block_bytes(
        model, tensor=tensor, pipeline=pipeline, element_bytes=element_bytes, block_tokens=block, hybrid=hybrid
    )
    return setting.concurrency * request + kept_back


def _terms(setting: Setting) -> tuple[Term, ...]:
    cache = Term("kv", "KV cache", _kv_bytes(setting), 0, _KV_SOURCE)
    overhead = overhead_terms(setting)
    graphs = next(term.size_bytes for term in overhead if term.name == "CUDA graphs")
    return (*weight_terms(setting), *overhead, *adapter_terms(setting, graphs), cache)


def _settings(setting: Setting, _have_bytes: int) -> tuple[tuple[str, int], ...]:
    return (("maxNumSeqs", sequences(setting.concurrency, setting.batched_tokens)),)


def _kv_cache_dtypes(accelerator: Accelerator) -> tuple[str, ...]:
    """FP8 on TPUs was measured to take as much as bf16 where a chip has one KV head: its layout pads whole words."""
    return ("auto",) if accelerator.kind == "tpu" else ("auto", "fp8")


def _outside_bytes(setting: Setting) -> int:
    return outside_share_bytes(collective(setting))


def _host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    """Weights pass through the page cache of the pod; processes and staging buffers stay."""
    size = weights_bytes(setting.model, setting.checkpoint, setting.inputs) or 0
    return (
        HostTerm("weights in the page cache", size, "safetensors files are mapped"),
        HostTerm(
            "engine processes",
            setting.data * _PROCESSES_GIB * GIB,
            "assumed: of every data rank, API server, engine core, workers, staging",
        ),
        *adapter_host_terms(setting),
        *((SHARED_MEMORY,) if setting.tensor * setting.pipeline * setting.data > 1 else ()),
    )


def _args(plan: ServingPlan) -> tuple[str, ...]:
    args = [
        f"--served-model-name={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={PORT}",
        f"--tensor-parallel-size={plan.parallelism.tensor}",
        *_copies(plan),
        f"--max-model-len={plan.context.max_model_len}",
        f"--max-num-batched-tokens={plan.context.max_num_batched_tokens}",
        f"--gpu-memory-utilization={plan.memory.utilization:g}",
        f"--max-num-seqs={dict(plan.settings)['maxNumSeqs']}",
        f"--kv-cache-dtype={plan.memory.kv_cache_dtype}",
        f"--shutdown-timeout={plan.timing.drain_seconds}",
    ]
    if plan.inputs == ("text",):
        args.append("--language-model-only")
    else:
        limits = {
            "audio": 1 if "audio" in plan.inputs else 0,
            "image": 4 if "image" in plan.inputs else 0,
            "video": 1 if "video" in plan.inputs else 0,
        }
        args.append(f"--limit-mm-per-prompt={json.dumps(limits, separators=(',', ':'))}")
    if plan.model.drafter:
        drafter = {
            "method": "mtp",
            "model": plan.weights.drafter_path,
            "num_speculative_tokens": plan.model.draft_tokens,
        }
        args.append(f"--speculative-config={json.dumps(drafter, separators=(',', ':'))}")
    if plan.tools:
        args += [
            "--enable-auto-tool-choice",
            "--tool-call-parser=gemma4",
            "--chat-template=examples/tool_chat_template_gemma4.jinja",
        ]
    if plan.reasoning:
        args.append("--reasoning-parser=gemma4")
    args += [*media_args(plan), *adapter_args(plan), *group_args(plan)]
    return with_engine_args(args, plan.engine_args, owned=OWNED, denied=DENIED)


def _copies(plan: ServingPlan) -> list[str]:
    """Splits that most plans do not have: stages of layers, and copies of the model."""
    sizes = {"pipeline": plan.parallelism.pipeline, "data": plan.parallelism.data}
    return [f"--{name}-parallel-size={size}" for name, size in sizes.items() if size > 1]


def _env(plan: ServingPlan) -> tuple[tuple[str, str], ...]:
    """Caches on writable mounts, usage statistics off, and the engine's own start-up limit (default 600 s) raised."""
    return environment(
        {
            "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64:/usr/local/cuda/lib64",
            "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
            "VLLM_CONFIG_ROOT": f"{CACHE}/vllm-config",
            "VLLM_ENGINE_READY_TIMEOUT_S": str(plan.timing.timeout_seconds),
            "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
            "VLLM_NO_USAGE_STATS": "1",
            "VLLM_RPC_BASE_PATH": "/tmp",
        }
    )


def workload(plan: ServingPlan) -> KubernetesWorkload:
    """Deployment of `vllm serve`. The image ships uid 2000 (`vllm`); other uids fail in getpwuid."""
    if plan.accelerator.kind == "tpu":
        return vllm_tpu.tpu_workload(plan, PORT)
    args = _args(plan)
    return KubernetesWorkload(
        plan=plan,
        container="vllm",
        command=("vllm", "serve", plan.weights.model_path),
        args=args,
        worker_args=worker_args(plan, args),
        env=_env(plan),
        pre_stop={"sleep": {"seconds": plan.timing.pre_stop_seconds}},
        run_as_user=2000,
        read_only_root=True,
        volumes=volumes(plan),
        **from_plan(plan, PORT, "/health"),
    )


FRAMEWORK = Framework(
    name="vllm",
    capabilities=Capabilities(
        kinds=("gpu", "tpu"),
        utilization=0.92,
        max_tensor=_max_tensor,
        max_pipeline=max_pipeline,
        max_data=16,
        max_nodes=8,
        step_field="maxNumBatchedTokens",
        step_is_shared=True,
        step_tokens=_batched_tokens,
        step_floor=_floor,
        max_tokens=_max_tokens,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("fp8",),
        weights_bytes=kept(weights_bytes),
        terms=_terms,
        host_terms=_host_terms,
        settings=_settings,
        outside_bytes=_outside_bytes,
        objection=vllm_tpu.objection,
        switch_objection=vllm_tpu.switch_objection,
        cautions=vllm_tpu.cautions,
        limits_media=True,
        fetches_media=True,
        no_adapters="",
        engine_seconds=135,
        engine_seconds_by_kind=(("tpu", vllm_tpu.ENGINE_SECONDS),),
        prefill_shares_by_kind=(("tpu", TORCH_ENGINES_ON_TPU),),
        pre_stop_seconds=15,
        drain_seconds=60,
    ),
    workload=workload,
)
