"""NVIDIA NIM: its images have vLLM behind a proxy of their own, and fetch weights from NGC.

The engine is vLLM's: memory terms and flags are those of `infra/frameworks/vllm.py`, the flags handed over by
`NIM_PASSTHROUGH_ARGS`, so that the proof holds for what runs. Source: NIM documentation (large-language-models 2.0.12:
environment variables, advanced configuration, model profiles, Helm and Kubernetes); nothing was run.
"""

from __future__ import annotations

import dataclasses
import shlex

from infra.catalog.records import Accelerator, Checkpoint, Model
from infra.frameworks import vllm
from infra.frameworks.base import Framework, KubernetesWorkload, Volume, from_plan, kept
from infra.frameworks.drain import wait_until_unused
from infra.plan.demand import GIB, HostTerm, Setting, Term
from infra.plan.serving_plan import ServingPlan

PORT = 8000
_CACHE = "/opt/nim/.cache"
_SHARED_MEMORY_GIB = 16
_SHARED_MEMORY = HostTerm("shared memory", _SHARED_MEMORY_GIB * GIB, "NIM documentation: 16 GB of /dev/shm")
_VLLM = vllm.FRAMEWORK.capabilities
# Flags of vLLM that NIM decides itself, or whose file is in vLLM's image alone: its own chat template is the model's.
_NOT_PASSED = ("--chat-template", "--host", "--port", "--revision")
_INSIDE = "of the vLLM inside, whose version is not published for this image (0.20.2 in NIM 2.0.5, 0.31.0 in 2.1.5)"
# Sizes that are not those of the hub's checkpoint of the same precision, with the last digit rounded up.
_LISTED_BYTES = {("31b", "w4a16"): 23_350_000_000}
_MATRIX = "NIM support matrix: 23.3 GB"
_OPEN_PORT = (
    f"NIM listens on all addresses of the pod, port {PORT}, without a key: it has no setting for the address. Only the "
    "NetworkPolicy keeps callers from it, so the cluster must enforce policies (Dataplane V2)"
)
_WRITABLE_ROOT = "NIM documents no list of what it writes; its root file system is left writable"


def profile(precision: str, tensor: int, pipeline: int) -> str:
    """Name of the profile with these weights and this split, as `list-model-profiles` shows it.

    `vllm-<precision>-tp<N>-pp<N>` (NIM documentation, model profiles and selection).
    """
    return f"vllm-{precision}-tp{tensor}-pp{pipeline}"


def _listed_bytes(model: Model, checkpoint: Checkpoint) -> int:
    return _LISTED_BYTES.get((model.size, checkpoint.precision), 0)


def _weights_bytes(model: Model, checkpoint: Checkpoint, inputs: tuple[str, ...]) -> int | None:
    size = _VLLM.weights_bytes(model, checkpoint, inputs)
    return None if size is None else max(size, _listed_bytes(model, checkpoint))


def _terms(setting: Setting) -> tuple[Term, ...]:
    """Those of vLLM; the larger of its rules for the cache, and a quarter more of what it takes beside as uncertain."""
    more = max(0, _listed_bytes(setting.model, setting.checkpoint) - (setting.checkpoint.bytes or 0))
    new, old = (_VLLM.terms(dataclasses.replace(setting, hybrid_kv=hybrid)) for hybrid in (True, False))
    cache = {one.name: one for one in new if one.kind == "kv"}
    terms: list[Term] = []
    for one in old:
        if one.kind == "kv":
            larger = max(one, cache[one.name], key=lambda term: term.size_bytes)
            terms.append(dataclasses.replace(larger, source=f"{one.source}; the larger of both rules {_INSIDE}"))
        elif one.kind == "overhead":
            unsure = one.uncertainty_bytes + one.size_bytes // 4
            terms.append(dataclasses.replace(one, uncertainty_bytes=unsure, source=f"{one.source}; {_INSIDE}"))
        else:
            terms.append(one)
    if more:
        terms.append(Term("weights", "other weights than the hub's", more // setting.tensor, 0, _MATRIX))
    return tuple(terms)


def _host_terms(setting: Setting) -> tuple[HostTerm, ...]:
    return (*(one for one in _VLLM.host_terms(setting) if one.name != _SHARED_MEMORY.name), _SHARED_MEMORY)


def _kv_cache_dtypes(_accelerator: Accelerator) -> tuple[str, ...]:
    return ("auto", "fp8")


def _one_stage(_model: Model) -> int:
    return 1


def _cautions(setting: Setting) -> tuple[str, ...]:
    name = profile(setting.checkpoint.precision, setting.tensor, setting.pipeline)
    return (
        _OPEN_PORT,
        _WRITABLE_ROOT,
        f"memory is charged by the rules {_INSIDE}",
        f"weights come from NGC by profile {name}; whether the image has it, only its list-model-profiles says",
    )


def passed_arguments(plan: ServingPlan) -> tuple[str, ...]:
    """Flags of vLLM for the plan, without those that are not NIM's to take."""
    assert vllm.FRAMEWORK.workload is not None
    given = vllm.FRAMEWORK.workload(plan).args
    return tuple(one for one in given if one.split("=", 1)[0] not in _NOT_PASSED)


def _env(plan: ServingPlan) -> tuple[tuple[str, str], ...]:
    """Settings of NIM, caches on writable mounts, and vLLM's own start-up limit and statistics as in its own pods."""
    split = plan.parallelism
    return (
        ("CUDA_CACHE_PATH", f"{_CACHE}/nv"),
        ("FLASHINFER_WORKSPACE_BASE", f"{_CACHE}/flashinfer"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("NIM_MODEL_PROFILE", profile(plan.precision, split.tensor, split.pipeline)),
        ("NIM_PASSTHROUGH_ARGS", shlex.join(passed_arguments(plan))),
        ("NIM_SERVER_PORT", str(PORT)),
        ("TORCHINDUCTOR_CACHE_DIR", f"{_CACHE}/inductor"),
        ("TRITON_CACHE_DIR", f"{_CACHE}/triton"),
        ("VLLM_CACHE_ROOT", f"{_CACHE}/vllm"),
        ("VLLM_ENGINE_READY_TIMEOUT_S", str(plan.timing.timeout_seconds)),
        ("VLLM_MEDIA_URL_ALLOW_REDIRECTS", "0"),
        ("VLLM_NO_USAGE_STATS", "1"),
    )


def workload(plan: ServingPlan) -> KubernetesWorkload:
    """Deployment of a NIM image with its own entry point, as its own user.

    Its proxy's stop is not documented: the pre-stop waits until nobody is connected, and vLLM behind it is told to
    drain as well.
    """
    return KubernetesWorkload(
        plan=plan,
        container="nim",
        command=(),
        args=(),
        env=_env(plan),
        pre_stop=wait_until_unused(plan.timing, PORT),
        run_as_user=1000,
        read_only_root=False,
        volumes=(
            Volume("cache", _CACHE, plan.host.ephemeral_storage_gib - 2),
            Volume("shm", "/dev/shm", _SHARED_MEMORY_GIB, "Memory"),
            Volume("tmp", "/tmp", 2),
        ),
        open_port=_OPEN_PORT,
        writable_root=_WRITABLE_ROOT,
        **from_plan(plan, PORT, "/v1/health/ready", "/v1/metrics"),
    )


FRAMEWORK = Framework(
    name="nim",
    capabilities=dataclasses.replace(
        _VLLM,
        kinds=("gpu",),
        max_pipeline=_one_stage,
        max_data=1,
        kv_cache_dtypes=_kv_cache_dtypes,
        weights_bytes=kept(_weights_bytes),
        terms=_terms,
        host_terms=_host_terms,
        pins_revision=False,
        api_key_name="NGC_API_KEY",
        cautions=_cautions,
        engine_seconds=180,
    ),
    workload=workload,
)
