"""What engines on PyTorch share: caches on the pod's disk, scratch volumes, and the memory that their workers share."""

from __future__ import annotations

from infra.frameworks.base import Volume
from infra.plan.demand import GIB, HostTerm
from infra.plan.serving_plan import ServingPlan

CACHE = "/cache"
_SHARED_MEMORY_GIB = 12
SHARED_MEMORY = HostTerm("shared memory", _SHARED_MEMORY_GIB * GIB, "/dev/shm of collectives")
_CACHES = {
    "CUDA_CACHE_PATH": f"{CACHE}/nv",
    "FLASHINFER_WORKSPACE_BASE": f"{CACHE}/flashinfer",
    "HF_HOME": f"{CACHE}/hf",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "HOME": f"{CACHE}/home",
    "NUMBA_CACHE_DIR": f"{CACHE}/numba",
    "TORCHINDUCTOR_CACHE_DIR": f"{CACHE}/inductor",
    "TRITON_CACHE_DIR": f"{CACHE}/triton",
    "XDG_CACHE_HOME": f"{CACHE}/xdg",
    "XDG_CONFIG_HOME": f"{CACHE}/config",
}


def environment(own: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """Caches on writable mounts and no word with the hub, with an engine's own variables, by name."""
    return tuple(sorted({**_CACHES, **own}.items()))


def volumes(plan: ServingPlan) -> tuple[Volume, ...]:
    """Weights and caches, shared memory for the workers of several accelerators, and temporary files."""
    return (
        Volume("cache", CACHE, plan.host.ephemeral_storage_gib - 2),
        Volume("shm", "/dev/shm", 2 if plan.accelerator.count == 1 else _SHARED_MEMORY_GIB, "Memory"),
        Volume("tmp", "/tmp", 2),
    )
