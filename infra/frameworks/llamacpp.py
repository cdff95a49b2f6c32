"""llama.cpp: `llama-server` with GGUF checkpoints."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.frameworks.arguments import with_engine_args
from infra.frameworks.base import (
    Framework,
    KubernetesWorkload,
    Volume,
    from_plan,
    kept,
)
from infra.frameworks.llamacpp_flags import DENIED, OWNED
from infra.plan.capabilities import Capabilities
from infra.plan.demand import HostTerm, Setting, Term
from infra.plan.gguf import gguf_bytes
from infra.plan.kv_llamacpp import (
    MIB,
    UBATCH_TOKENS,
    cache_type,
    checkpoints,
    context_size,
    demand_terms,
    host_terms,
    prompt_cache_bytes,
)
from infra.plan.prefill_shares import LLAMACPP
from infra.plan.serving_plan import ServingPlan

PORT = 8080
_CACHE = "/cache"
_COMPUTED = ("bf16", "q8_0")
_KV_TYPES = {
    "apple": ("auto", "bf16", "f16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"),
    "cpu": ("auto", "bf16", "f16", "iq4_nl", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"),
    "gpu": ("auto", "bf16", "f16", "q4_0", "q8_0"),
}
_MOST_SLOTS = 256  # LLAMA_MAX_SEQ; with more the server does not start


def _step_tokens(_model: Model, _accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    return (UBATCH_TOKENS,)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 32


def _weights_bytes(model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> int | None:
    size = checkpoint.bytes
    if size is None:
        size = gguf_bytes(model, checkpoint.precision) if checkpoint.precision in _COMPUTED else None
    projector = (checkpoint.projector_bytes or 0) if inputs != ("text",) else 0
    return None if size is None else size + projector


def _kv_cache_dtypes(accelerator: Accelerator) -> tuple[str, ...]:
    """Types with a flash attention kernel of the official builds, without which a quantised V is refused.

    Source: llama.cpp b11434 ggml-cuda/fattn.cu (without GGML_CUDA_FA_ALL_QUANTS) and ggml-metal. f32 is left out: its
    buffers are not known.
    """
    return _KV_TYPES[accelerator.kind]


def _terms(setting: Setting) -> tuple[Term, ...]:
    """A processor has one memory, so that what others keep in host memory is part of the proof."""
    terms = demand_terms(setting)
    if setting.accelerator.kind != "cpu":
        return terms
    return (*terms, *(Term("overhead", one.name, one.size_bytes, 0, one.source) for one in host_terms(setting)))


def _host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    return () if setting.accelerator.kind == "cpu" else host_terms(setting)


def _settings(setting: Setting, _have_bytes: int) -> tuple[tuple[str, int], ...]:
    kv_type = cache_type(setting.kv_cache_dtype)
    cache = prompt_cache_bytes(setting.model, tokens=setting.tokens, kv_type=kv_type)
    return ("contextCheckpoints", checkpoints(setting.model, kv_type)), ("promptCacheMiB", cache // MIB)


def server_arguments(plan: ServingPlan, *, port: int) -> tuple[str, ...]:
    """Words of `llama-server`, the same in a pod and on a machine, listening on loopback alone.

    Everything explicit: an unset context is shrunk to fit, and `--slots` would show prompts.
    """
    settings = dict(plan.settings)
    kv_type = cache_type(plan.memory.kv_cache_dtype)
    args = [
        f"--model={plan.weights.model_path}",
        "--offline",
        f"--alias={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--ctx-size={context_size(plan.context.max_model_len, plan.context.concurrency)}",
        f"--parallel={plan.context.concurrency}",
        "--kv-unified" if plan.unified_slots else "--no-kv-unified",
        f"--ubatch-size={plan.context.max_num_batched_tokens}",
        f"--cache-type-k={kv_type}",
        f"--cache-type-v={kv_type}",
        *_processor(plan),
        "--flash-attn=on",
        f"--cache-ram={settings['promptCacheMiB']}",
        f"--ctx-checkpoints={settings['contextCheckpoints']}",
        "--sse-ping-interval=2",
        f"--reasoning={'auto' if plan.reasoning else 'off'}",
        "--metrics",
        "--no-slots",
        "--no-ui",
    ]
    args.append(f"--mmproj={plan.weights.projector_path}" if plan.weights.projector_path else "--no-mmproj")
    checked = with_engine_args(args, plan.engine_args, owned=OWNED, denied=DENIED)
    return tuple(word for argument in checked for word in argument.split("=", 1))


def _processor(plan: ServingPlan) -> tuple[str, ...]:
    """Where layers run: all on the accelerator, or on as many threads as the pod asks processors for."""
    return (f"--threads={plan.host.cpu}",) if plan.accelerator.kind == "cpu" else ("--n-gpu-layers=all",)


def _libraries(plan: ServingPlan) -> str:
    drivers = "" if plan.accelerator.kind == "cpu" else ":/usr/local/nvidia/lib64:/usr/local/cuda/lib64"
    return f"/app{drivers}"


def _drain(plan: ServingPlan) -> dict[str, object]:
    """Pre-stop that waits until no request runs: the server itself stops at once on SIGTERM (llama.cpp b11434).

    The limit is on the clock, not on rounds: a server that is busy answers slowly, and the grace period does not wait.
    """
    script = (
        f"sleep {plan.timing.pre_stop_seconds}; end=$(($(date +%s)+{plan.timing.drain_seconds})); "
        f"while [ $(date +%s) -lt $end ]; do curl -s -m 1 127.0.0.1:{PORT}/metrics | "
        "awk '/^llamacpp:requests_(processing|deferred) /{s+=$2; n++} END{exit !(n==2 && s==0)}' && break; "
        "sleep 1; done"
    )
    return {"exec": {"command": ["sh", "-c", script]}}


def workload(plan: ServingPlan) -> KubernetesWorkload:
    """Deployment of `llama-server`. The image has no user of its own; uid 65534 runs it."""
    return KubernetesWorkload(
        plan=plan,
        container="llama-server",
        command=("/app/llama-server",),
        args=server_arguments(plan, port=PORT),
        env=(
            ("HOME", f"{_CACHE}/home"),
            ("LD_LIBRARY_PATH", _libraries(plan)),
            ("LLAMA_CACHE", f"{_CACHE}/llama"),
        ),
        pre_stop=_drain(plan),
        run_as_user=65534,
        read_only_root=True,
        volumes=(Volume("cache", _CACHE, plan.host.ephemeral_storage_gib - 2), Volume("tmp", "/tmp", 2)),
        **from_plan(plan, PORT, "/health"),
    )


FRAMEWORK = Framework(
    name="llamacpp",
    capabilities=Capabilities(
        kinds=("apple", "cpu", "gpu"),
        utilization=0.95,
        step_field="microBatchTokens",
        step_tokens=_step_tokens,
        step_floor=_floor,
        max_concurrency=_MOST_SLOTS,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("q8_0", "q4_0"),
        unified_slots=True,
        weights_bytes=kept(_weights_bytes),
        terms=_terms,
        host_terms=_host_terms,
        settings=_settings,
        fetches_media=True,
        no_adapters=(
            "llama.cpp loads adapters that are GGUF files on its disk, and this version puts none there; merge the "
            "adapter into the weights, or use framework: vllm."
        ),
        engine_seconds=30,
        prefill_shares=LLAMACPP,
        pre_stop_seconds=5,
        drain_seconds=60,
    ),
    workload=workload,
)
