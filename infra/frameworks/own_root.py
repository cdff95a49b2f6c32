"""The root file system of containers with GPUs on nodes whose container runtime writes into it."""

from __future__ import annotations

import dataclasses

from infra.frameworks.base import KubernetesWorkload

# NVIDIA's CDI hooks write links and the linker's cache there, and fail where they cannot (kserve issue 5711). GKE's
# device plugin mounts the driver's folder instead.
_REASON = "NVIDIA's container runtime writes driver links and the linker's cache before the engine starts"


def with_root_for_the_runtime(workload: KubernetesWorkload) -> KubernetesWorkload:
    """The same workload, its engine's root writable where the plan says that a runtime needs it."""
    if not workload.plan.accelerator.runtime_writes or workload.writable_root:
        return workload
    return dataclasses.replace(workload, read_only_root=False, writable_root=_REASON)
