"""Why a job does not fit, term by term, and the nearest one that does."""

from __future__ import annotations

from infra.catalog.records import Catalog, Checkpoint, Model
from infra.plan.demand import GIB
from infra.plan.fit import gib_text
from infra.plan.job.job_plan import JobMemory
from infra.plan.job.memory import MEMORY_SHARE, job_terms, need_bytes
from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec
from infra.spec.job import Job

_STEP_TOKENS = 64


def does_not_fit(
    spec: EndpointSpec, model: Model, checkpoint: Checkpoint, memory: JobMemory, catalog: Catalog
) -> RefusedError:
    """The refusal, with its arithmetic."""
    job = spec.job
    assert job is not None
    lines = [
        f"{job.mode} with {checkpoint.repository}, batches of {job.batchSize} x {job.sequenceLength:,} tokens, needs "
        f"{memory.need_gib:.2f} GiB of {spec.on.type}, and may fill {memory.have_gib:.2f} of "
        f"{memory.per_accelerator_gib:.2f} GiB:"
    ]
    lines += [
        f"  {one.name} {gib_text(one.size_gib)}, and up to {gib_text(one.uncertainty_gib)} more: {one.source}"
        for one in memory.terms
    ]
    have = int(memory.have_gib * GIB)
    smaller = _smaller(model, checkpoint, job, have)
    if smaller:
        lines.append(f"Write job: {{batchSize: {smaller[0]}, sequenceLength: {smaller[1]}}}, which fits.")
    larger = [
        one.id
        for one in sorted(catalog.accelerators.values(), key=lambda one: (one.memory_gib or 0, one.id))
        if one.kind == "gpu"
        and one.memory_gib
        and one.host_architecture == "amd64"
        and one.architecture in catalog.frameworks[spec.framework].architectures
        and any(machine.accelerators == 1 for machine in one.machines)
        and need_bytes(job_terms(model, checkpoint, job)) <= one.memory_gib * MEMORY_SHARE * GIB
    ]
    if larger:
        lines.append(f"Or use accelerator: {', '.join(larger[:3])}.")
    if not smaller and not larger:
        lines.append("No single accelerator has that much, and a job runs on one; use a smaller model.")
    return RefusedError(("accelerator",), "\n".join(lines))


def _smaller(model: Model, checkpoint: Checkpoint, job: Job, have: int) -> tuple[int, int] | None:
    """Batch and length that fit: the largest batch of that length, else one record of the greatest length."""
    for batch in range(job.batchSize - 1, 0, -1):
        if _fits(model, checkpoint, job.model_copy(update={"batchSize": batch}), have):
            return batch, job.sequenceLength
    for length in range(job.sequenceLength // _STEP_TOKENS * _STEP_TOKENS, 0, -_STEP_TOKENS):
        if _fits(model, checkpoint, job.model_copy(update={"batchSize": 1, "sequenceLength": length}), have):
            return 1, length
    return None


def _fits(model: Model, checkpoint: Checkpoint, job: Job, have: int) -> bool:
    return need_bytes(job_terms(model, checkpoint, job)) <= have
