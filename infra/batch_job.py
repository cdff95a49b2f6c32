"""A job as it is built from its stack file: planned, and ready to be rendered."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.catalog.loader import load_catalog
from infra.cloud.pool_names import named
from infra.frameworks.job import JobWorkload, job_workload
from infra.lock import NO_LOCK, Lock, Use
from infra.plan.job import JobPlan, job_uses, resolve_job
from infra.spec import EndpointSpec, PlatformSpec


@dataclass(frozen=True)
class BatchJob:
    """A planned job, its platform, its workload, and what a lock fixes of it."""

    name: str
    spec: EndpointSpec
    platform_name: str
    platform: PlatformSpec
    plan: JobPlan
    workload: JobWorkload
    uses: tuple[Use, ...] = ()

    def objects(self) -> list[dict[str, Any]]:
        """Kubernetes objects, in the order in which they are made."""
        from infra.render import render_job  # costs 50 ms that planning does not need

        return render_job(self.workload)


def batch_job(name: str, spec: EndpointSpec, platform: PlatformSpec, lock: Lock = NO_LOCK) -> BatchJob:
    """Plan a job.

    Raises:
        RefusedError: it cannot be run as asked.
    """
    plan = resolve_job(name, spec, platform, load_catalog(), lock)
    assert platform.gke is not None, "no other platform has jobs"
    plan = dataclasses.replace(plan, node_pools=named(plan, platform.gke))
    return BatchJob(name, spec, spec.platform, platform, plan, job_workload(plan), job_uses(spec, lock))
