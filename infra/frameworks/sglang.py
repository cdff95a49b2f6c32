"""SGLang: the OpenAI-compatible server of `lmsysorg/sglang` images.

Flags and their meaning as read in the package sglang 0.5.23; nothing was run.
"""

from __future__ import annotations

import json

from infra.catalog.records import Accelerator, Model
from infra.frameworks.arguments import with_engine_args
from infra.frameworks.base import Framework, KubernetesWorkload, from_plan, kept
from infra.frameworks.sglang_flags import DENIED, OWNED
from infra.frameworks.torch_engine import CACHE, SHARED_MEMORY, environment, volumes
from infra.plan.capabilities import Capabilities
from infra.plan.demand import GIB, HostTerm, Setting
from infra.plan.kv_sglang import (
    ELEMENT_BYTES,
    PAGE_TOKENS,
    demand_terms,
    host_terms,
    running_requests,
    setting_ratio,
    static_permille,
)
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import ServingPlan
from infra.plan.weights import weights_bytes

PORT = 30000
# A name that no address can have (RFC 2606): with it, images and sounds come inside requests alone. Else an address in
# a request could be the engine's own, past the proxy, where a GET flushes caches or starts a profile (sglang 0.5.23
# utils/common.py, which knows no other limit, and entrypoints/http_server.py).
_DOMAINS, _NO_DOMAIN = "--allowed-media-domains", "none.invalid"
# Number formats of the plan, as the engine calls them.
_KV_TYPES = {"auto": "auto", "fp8": "fp8_e4m3"}
# Prefill chunk by the memory of the card (sglang 0.5.23 server_args.py: 2048 below 35 GB, 4096 below 60, else 8192).
_CHUNKS = ((60, 8192), (35, 4096), (0, 2048))


def _max_tensor(model: Model, _drafter: bool) -> int:
    return model.query_heads


def _step_tokens(_model: Model, accelerator: Accelerator, _inputs: tuple[str, ...]) -> tuple[int, ...]:
    default = next(tokens for size_gib, tokens in _CHUNKS if (accelerator.memory_gib or 0) >= size_gib)
    return tuple(tokens for _, tokens in _CHUNKS if tokens <= default)


def _floor(_model: Model, _inputs: tuple[str, ...]) -> int:
    return 256


def _settings(setting: Setting, have_bytes: int) -> tuple[tuple[str, int], ...]:
    whole = int((setting.accelerator.memory_gib or 0) * GIB)
    return (
        ("maxRunningRequests", running_requests(setting.concurrency)),
        ("memFractionStaticPermille", static_permille(setting, whole_bytes=whole, have_bytes=have_bytes)),
        ("swaFullTokensPercent", round(100 * setting_ratio(setting))),
    )


def _kv_cache_dtypes(accelerator: Accelerator) -> tuple[str, ...]:
    """Triton, whose kernels attend here, has no e4m3 below compute capability 8.9, which Ampere has not.

    Source: triton-lang/triton issue 4319; on an A100 with this engine, sgl-project/sglang issue 38291, open.
    """
    return ("auto",) if accelerator.architecture == "ampere" else tuple(ELEMENT_BYTES)


def _host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    terms = host_terms(setting)
    return (*terms, SHARED_MEMORY) if setting.tensor > 1 else terms


def _cautions(_setting: Setting) -> tuple[str, ...]:
    """What it opens for callers (sglang 0.5.23 utils/common.py load_image): no flag limits paths, only domains."""
    return (
        "images come inside requests, as data: URLs: SGLang would fetch from any address, its own too. 'engine: {args: "
        "[--allowed-media-domains=HOST]}' lets it fetch from one host",
        "callers can name files of the engine's container as images, also where only text is asked for: SGLang opens "
        "file:// paths and has no flag against it. The container holds its image's files and the weights, no key "
        "and no token",
    )


def _args(plan: ServingPlan) -> tuple[str, ...]:
    """Every flag from the plan, with Triton and pages of one token everywhere.

    On Blackwell the engine's own choice has larger pages, which the proof does not count, and causal attention over
    images (SGLang's recipe of Gemma 4).
    """
    settings = dict(plan.settings)
    args = [
        f"--model-path={plan.weights.model_path}",
        f"--served-model-name={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={PORT}",
        f"--tp-size={plan.parallelism.tensor}",
        f"--context-length={plan.context.max_model_len}",
        f"--max-running-requests={settings['maxRunningRequests']}",
        f"--chunked-prefill-size={plan.context.max_num_batched_tokens}",
        f"--mem-fraction-static={settings['memFractionStaticPermille'] / 1000:g}",
        f"--swa-full-tokens-ratio={settings['swaFullTokensPercent'] / 100:g}",
        f"--page-size={PAGE_TOKENS}",
        f"--kv-cache-dtype={_KV_TYPES[plan.memory.kv_cache_dtype]}",
        "--attention-backend=triton",
        "--disable-prefill-cuda-graph",
        f"--limit-mm-data-per-request={json.dumps(_media(plan), separators=(',', ':'))}",
        "--enable-metrics",
    ]
    if not any(one.startswith(f"{_DOMAINS}=") for one in plan.engine_args):
        args.append(f"{_DOMAINS}={_NO_DOMAIN}")
    if plan.model.drafter:
        args += _drafter(plan, plan.weights.drafter_path)
    if plan.tools:
        args.append("--tool-call-parser=gemma4")
    if plan.reasoning:
        args.append("--reasoning-parser=gemma4")
    return with_engine_args(args, plan.engine_args, owned=OWNED, denied=DENIED)


def _media(plan: ServingPlan) -> dict[str, int]:
    """Items per request. One image is let through where none is asked for: the engine warms up with one or stops."""
    return {
        "audio": 1 if "audio" in plan.inputs else 0,
        "image": 4 if "image" in plan.inputs else 1,
        "video": 1 if "video" in plan.inputs else 0,
    }


def _drafter(plan: ServingPlan, path: str) -> list[str]:
    """One chain of proposed tokens; the engine verifies one more than it proposes.

    Raises:
        RefusedError: the mixture of experts with its drafter on one accelerator (SGLang's recipe of Gemma 4).
    """
    if plan.parallelism.tensor == 1 and "26b-a4b" in plan.model.id:
        message = f"SGLang runs {plan.model.id} with its drafter on two accelerators or more; leave it out, or use two."
        raise RefusedError(("speculativeDecoding",), message)
    steps = plan.model.draft_tokens or 1
    return [
        "--speculative-algorithm=NEXTN",
        f"--speculative-draft-model-path={path}",
        f"--speculative-num-steps={steps}",
        "--speculative-eagle-topk=1",
        f"--speculative-num-draft-tokens={steps + 1}",
    ]


def _env() -> tuple[tuple[str, str], ...]:
    """Caches on writable mounts, and pools sized before graphs are captured, as the proof has it."""
    return environment(
        {
            "LD_LIBRARY_PATH": "/usr/local/nvidia/lib64:/usr/local/cuda/lib64",
            "LOGNAME": "sglang",
            "OUTLINES_CACHE_DIR": f"{CACHE}/outlines",
            "SGLANG_CACHE_DIR": f"{CACHE}/sglang",
            "SGLANG_ENABLE_POST_CAPTURE_KV_SIZING": "0",
            "TVM_FFI_CACHE_DIR": f"{CACHE}/tvm-ffi",
        }
    )


def workload(plan: ServingPlan) -> KubernetesWorkload:
    """Deployment of `sglang.launch_server`. Not run on a real image, which runs as root and documents no other user.

    uid 65534 is `nobody` of its Ubuntu base, assumed; what it writes, as known, has a mount. `/ready` answers at once,
    where `/health` generates a token and takes a second or more; a scheduler that hangs is ended by the engine's own
    watchdog (300 s). SIGTERM turns `/ready` 503 and waits for running requests without limit: the grace period is the
    limit.
    """
    return KubernetesWorkload(
        plan=plan,
        container="sglang",
        command=("python3", "-m", "sglang.launch_server"),
        args=_args(plan),
        env=_env(),
        pre_stop={"sleep": {"seconds": plan.timing.pre_stop_seconds}},
        run_as_user=65534,
        read_only_root=True,
        volumes=volumes(plan),
        **from_plan(plan, PORT, "/ready"),
    )


FRAMEWORK = Framework(
    name="sglang",
    capabilities=Capabilities(
        kinds=("gpu",),
        utilization=0.95,
        max_tensor=_max_tensor,
        step_field="maxNumBatchedTokens",
        step_tokens=_step_tokens,
        step_floor=_floor,
        kv_cache_dtypes=_kv_cache_dtypes,
        smaller_kv_cache_dtypes=("fp8",),
        weights_bytes=kept(weights_bytes),
        terms=demand_terms,
        host_terms=_host_terms,
        settings=_settings,
        cautions=_cautions,
        engine_seconds=120,
        pre_stop_seconds=15,
        drain_seconds=60,
    ),
    workload=workload,
)
