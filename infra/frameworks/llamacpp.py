"""llama.cpp: `llama-server` with GGUF checkpoints."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.frameworks.arguments import with_engine_args
from infra.frameworks.base import (
    Framework,
    KubernetesWorkload,
    Volume,
    from_plan,
)
from infra.plan.capabilities import Capabilities
from infra.plan.demand import Setting
from infra.plan.gguf import gguf_bytes
from infra.plan.kv_llamacpp import (
    ELEMENT_BYTES,
    UBATCH_TOKENS,
    context_size,
    demand_terms,
    host_terms,
)
from infra.plan.serving_plan import ServingPlan

PORT = 8080
_CACHE = "/cache"
# Flags that stand for a decision of the plan under another name; this engine has many synonyms.
_OWNED = ("--kv-unified-per-slot", "--mmproj-auto", "--no-mmproj", "--reasoning-budget", "--ui", "--webui")
_LAYERS = "the plan keeps every layer on the accelerator"
_MEMORY = "the memory proof would no longer hold"
_TEXT = "it shows prompts to every caller or on disk"
_TOOLS = "it lets the model run tools inside the pod"
_WEIGHTS = "the checkpoint is the plan's"
_DENIED = {
    "--agent": _TOOLS,
    "--api-key*": "a key in a stack file is no secret",
    "--api-prefix": "clients and probes use the planned address",
    "--batch-size": _MEMORY,
    "--cache-type-*": _MEMORY,
    "--control-vector*": _WEIGHTS,
    "--cpu-moe*": _LAYERS,
    "--device*": _LAYERS,
    "--docker-repo": _WEIGHTS,
    "--fit*": "it would shrink what the plan proved",
    "--gpu-layers*": _LAYERS,
    "--hf-file": _WEIGHTS,
    "--hf-repo-draft": _MEMORY,
    "--hf-token": "a token in a stack file is no secret",
    "--kv-offload": _LAYERS,
    "--log-file": _TEXT,
    "--log-prompts-dir": _TEXT,
    "--lora*": _WEIGHTS,
    "--main-gpu": _LAYERS,
    "--mcp-*": _TOOLS,
    "--media-path": "it shows the pod's files to every caller",
    "--mmproj": _WEIGHTS,
    "--mmproj-device": _LAYERS,
    "--mmproj-offload": _LAYERS,
    "--mmproj-url": _WEIGHTS,
    "--model": _WEIGHTS,
    "--model-draft": _MEMORY,
    "--model-url": _WEIGHTS,
    "--models-*": _WEIGHTS,
    "--n-cpu-*": _LAYERS,
    "--override-*": _WEIGHTS,
    "--path": "it shows the pod's files to every caller",
    "--props": "it lets callers change the server",
    "--rpc": "it sends layers to other machines",
    "--slot-save-path": _TEXT,
    "--slots": _TEXT,
    "--spec-*": _MEMORY,
    "--split-mode": _LAYERS,
    "--ssl-*": "probes and clients speak HTTP",
    "--swa-*": _MEMORY,
    "--tensor-split": _LAYERS,
    "--tools*": _TOOLS,
}
_COMPUTED = ("bf16", "q8_0")


def _one(_model: Model) -> int:
    return 1


def _step_tokens(_model: Model, _accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    return (UBATCH_TOKENS,)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 32


def _max_tokens(model: Model, _accelerator: Accelerator) -> int:
    return model.max_context_tokens


def _weights_bytes(model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> int | None:
    size = checkpoint.bytes
    if size is None:
        size = gguf_bytes(model, checkpoint.precision) if checkpoint.precision in _COMPUTED else None
    projector = (checkpoint.projector_bytes or 0) if inputs != ("text",) else 0
    return None if size is None else size + projector


def _growing_bytes(setting: Setting) -> int:
    return sum(term.size_bytes + term.uncertainty_bytes for term in demand_terms(setting) if term.kind != "weights")


def _no_objection(_model: Model, _accelerator: Accelerator) -> None:
    return None


def _args(plan: ServingPlan) -> tuple[str, ...]:
    """Everything explicit: an unset context is shrunk to fit, and `--slots` would show prompts."""
    quant = plan.precision.upper()
    cache_type = "f16" if plan.memory.kv_cache_dtype == "auto" else plan.memory.kv_cache_dtype
    args = [
        f"--hf-repo={plan.model.checkpoint}:{quant}",
        f"--alias={plan.model.id}",
        "--host=0.0.0.0",
        f"--port={PORT}",
        f"--ctx-size={context_size(plan.context.max_model_len, plan.context.concurrency)}",
        f"--parallel={plan.context.concurrency}",
        "--kv-unified" if plan.unified_slots else "--no-kv-unified",
        f"--ubatch-size={plan.context.max_num_batched_tokens}",
        f"--cache-type-k={cache_type}",
        f"--cache-type-v={cache_type}",
        "--n-gpu-layers=all",
        "--flash-attn=auto",
        f"--cache-ram={_PROMPT_CACHE_MIB}",
        "--ctx-checkpoints=8",
        "--sse-ping-interval=2",
        f"--reasoning={'auto' if plan.reasoning else 'off'}",
        "--metrics",
        "--no-slots",
        "--no-ui",
    ]
    if plan.inputs == ("text",):
        args.append("--no-mmproj")
    checked = with_engine_args(args, plan.engine_args, owned=_OWNED, denied=_DENIED)
    return tuple(word for argument in checked for word in argument.split("=", 1))


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
        args=_args(plan),
        env=(
            ("HOME", f"{_CACHE}/home"),
            ("LD_LIBRARY_PATH", "/app:/usr/local/nvidia/lib64:/usr/local/cuda/lib64"),
            ("LLAMA_CACHE", f"{_CACHE}/llama"),
        ),
        port=PORT,
        health_path="/health",
        pre_stop=_drain(plan),
        run_as_user=65534,
        read_only_root=True,
        volumes=(Volume("cache", _CACHE, plan.host.ephemeral_storage_gib - 2), Volume("tmp", "/tmp", 2)),
        **from_plan(plan, PORT),
    )


FRAMEWORK = Framework(
    name="llamacpp",
    capabilities=Capabilities(
        kinds=("apple", "cpu", "gpu"),
        utilization=0.95,
        max_tensor=_one,
        max_pipeline=_one,
        max_data=1,
        step_field="microBatchTokens",
        step_is_shared=False,
        step_tokens=_step_tokens,
        step_floor=_floor,
        max_tokens=_max_tokens,
        kv_cache_dtypes=("auto", *sorted(ELEMENT_BYTES)),
        unified_slots=True,
        weights_bytes=_weights_bytes,
        terms=demand_terms,
        growing_bytes=_growing_bytes,
        host_terms=host_terms,
        objection=_no_objection,
        engine_seconds=30,
        pre_stop_seconds=5,
        drain_seconds=60,
    ),
    workload=workload,
)
