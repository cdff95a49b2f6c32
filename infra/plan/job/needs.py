"""What a job needs of its cluster."""

from __future__ import annotations

from infra.plan.job.job_plan import JobPlan
from infra.plan.lacking import SYSTEM_NODES, Need, refuse_needs
from infra.plan.refusal import RefusedError
from infra.spec import PlatformSpec


def job_needs(plan: JobPlan) -> tuple[Need, ...]:
    """All that a planned job needs of a GKE cluster."""
    found = []
    for place in plan.places:
        if place.bucket:
            field, volume = ("job", place.use), "name a claim in place of the bucket"
            found.append(Need("workload-identity", field, "pods reach the bucket as themselves", volume))
            found.append(Need("gcs-fuse", field, "the bucket is mounted by Cloud Storage FUSE", volume))
    because = "node pools of jobs are made with it (GKE_METADATA), and GKE refuses them"
    found.append(Need("workload-identity", ("platform",), because, "name another platform"))
    return tuple(found)


def refuse_lacking_job(plan: JobPlan, platform: PlatformSpec) -> None:
    """Refuse a job that needs what its platform's file says the cluster lacks, or more nodes than have addresses.

    Raises:
        RefusedError: at the first field by which something is needed.
    """
    refuse_needs(job_needs(plan), plan.platform, platform)
    gke = platform.gke
    if gke is None or not gke.cluster.create or not gke.network.create:
        return
    most = gke.network.maxNodes - SYSTEM_NODES
    if plan.machines > most:
        raise RefusedError(
            ("job", "parallel"),
            f"{plan.machines} machines are more than the {most} for which the ranges of platform {plan.platform} have "
            f"room. Write {most} or less, or raise network.maxNodes in its file.",
        )
