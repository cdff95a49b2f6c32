"""vLLM on TPUs: what it was shown to do there, and the pod that serves it.

Sources: AI-Hypercomputer/tpu-recipes 030656c inference/trillium/vLLM/Gemma4 and 6cc0e87 Gemma4-MTP (the second on GKE),
GoogleCloudPlatform/accelerated-platforms 148ac91 online-inference-tpu/vllm (26B and 31B on v6e), tpu-inference 0021b4a.
"""

from __future__ import annotations

import json

from infra.catalog.records import Accelerator, Model
from infra.frameworks.arguments import with_engine_args
from infra.frameworks.base import KubernetesWorkload, from_plan
from infra.frameworks.drain import wait_until_unused
from infra.frameworks.torch_engine import CACHE, environment, volumes
from infra.frameworks.vllm_args import media_args
from infra.frameworks.vllm_flags import DENIED, OWNED
from infra.plan.demand import Setting
from infra.plan.serving_plan import ServingPlan

SIZES, TOKENS = ("26b-a4b", "31b"), 16384
# "About 10 minutes" in the recipe of Gemma 4, 13 to 15 with the download in that of Gemma4-MTP: XLA compiles.
ENGINE_SECONDS = 600
_NOBODY = 65534
_GPU_CACHES = ("CUDA_", "FLASHINFER_", "TRITON_")
_SWITCHES = {
    "adapters": "adapters were not shown to work on TPUs; leave them out, or use a GPU.",
    "audio": "vLLM takes no audio on TPUs (AI-Hypercomputer/tpu-recipes, Gemma4); leave it out, or use a GPU.",
    "reasoning": "the reasoning parser was not shown to work on TPUs; leave it out, or use a GPU.",
    "speculativeDecoding": "the drafter runs on TPUs with a patched engine only (AI-Hypercomputer/tpu-recipes, "
    "Gemma4-MTP); leave it out, or use a GPU.",
    "video": "text and images alone were shown to work on TPUs; leave video out, or use a GPU.",
}
_CAUTIONS = (
    "the image for TPUs is named by a tag that its registry can move, and its vLLM is not of the version above (one "
    "public report read 0.17.2 in it): it gets the recipe's arguments; engine.image with @sha256:... holds it still",
    "no source shows the image for TPUs as any user but root. The pod is not root all the same; if the engine cannot "
    "open the chips (/dev/vfio), that is why",
    "structured output (JSON schemas, grammars) does not work on TPUs: requests that ask for it fail",
    "every start compiles anew: XLA's cache is on the pod's own disk",
    "on TPUs vllm:num_requests_waiting alone is known to be there (GKE's tutorial scales on it): other alerts and "
    "panels may stay empty",
)


def objection(model: Model, accelerator: Accelerator) -> str | None:
    """What is known not to work on TPUs (AI-Hypercomputer/tpu-recipes, Gemma4; vllm-project/vllm issue 43239)."""
    if accelerator.kind == "tpu" and model.size not in SIZES:
        return f"vLLM was shown to serve only {' and '.join(SIZES)} on TPUs; use a GPU for {model.id}."
    return None


def switch_objection(name: str, accelerator: Accelerator) -> str | None:
    """Why it lacks on TPUs what it has on GPUs."""
    return _SWITCHES.get(name) if accelerator.kind == "tpu" else None


def cautions(setting: Setting) -> tuple[str, ...]:
    """What to know before paying for TPUs."""
    return _CAUTIONS if setting.accelerator.kind == "tpu" else ()


def tpu_workload(plan: ServingPlan, port: int) -> KubernetesWorkload:
    """Deployment of `vllm serve` on one slice.

    Not privileged, which TPUs need on GKE before 1.28 only (GKE documentation, node auto-provisioning; a public report
    of Gemma 4 on v6e ran without), with no capability: neither that report nor the recipe for GKE adds one. uid 65534
    is `nobody` of the image's Debian base (tpu-inference docker/Dockerfile). The image's vLLM may lack
    `--shutdown-timeout` (0.18.0): the pre-stop waits until nobody is connected.
    """
    return KubernetesWorkload(
        plan=plan,
        container="vllm",
        command=("vllm", "serve", plan.weights.model_path),
        args=_args(plan, port),
        env=_env(plan),
        pre_stop=wait_until_unused(plan.timing, port),
        run_as_user=_NOBODY,
        read_only_root=True,
        volumes=volumes(plan),
        **from_plan(plan, port, "/health"),
    )


def _args(plan: ServingPlan, port: int) -> tuple[str, ...]:
    """Those of the recipes, and what the plan guarantees; no chat template, whose path in the image is not known."""
    limits = {"audio": 0, "image": 4 if "image" in plan.inputs else 0, "video": 0}
    args = [
        f"--served-model-name={plan.model.id}",
        "--host=127.0.0.1",
        f"--port={port}",
        f"--tensor-parallel-size={plan.parallelism.tensor}",
        f"--max-model-len={plan.context.max_model_len}",
        f"--max-num-batched-tokens={plan.context.max_num_batched_tokens}",
        f"--gpu-memory-utilization={plan.memory.utilization:g}",
        f"--max-num-seqs={dict(plan.settings)['maxNumSeqs']}",
        "--disable-chunked-mm-input",
        f"--limit-mm-per-prompt={json.dumps(limits, separators=(',', ':'))}",
    ]
    if plan.tools:
        args += ["--enable-auto-tool-choice", "--tool-call-parser=gemma4"]
    args += media_args(plan)
    return with_engine_args(args, plan.engine_args, owned=OWNED, denied=DENIED)


def _env(plan: ServingPlan) -> tuple[tuple[str, str], ...]:
    """Caches on writable mounts, that of XLA among them; libtpu writes its logs and its lock to /tmp."""
    own = {
        "LOGNAME": "vllm",
        "TMPDIR": "/tmp",
        "VLLM_CACHE_ROOT": f"{CACHE}/vllm",
        "VLLM_CONFIG_ROOT": f"{CACHE}/vllm-config",
        "VLLM_ENGINE_READY_TIMEOUT_S": str(plan.timing.timeout_seconds),
        "VLLM_MEDIA_URL_ALLOW_REDIRECTS": "0",
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_RPC_BASE_PATH": "/tmp",
        "VLLM_XLA_CACHE_PATH": f"{CACHE}/xla",
    }
    return tuple(one for one in environment(own) if not one[0].startswith(_GPU_CACHES))
