"""Where a job reads and writes, and what its service account may do there."""

from __future__ import annotations

from infra.plan.identity import READS_BUCKET, WRITES_BUCKET, Grant
from infra.plan.job.job_plan import JobPlace
from infra.spec.job import Job, Place


def places_of(job: Job) -> tuple[JobPlace, ...]:
    """All of them, the output last."""
    named: tuple[tuple[str, Place | None], ...] = (
        ("input", job.input),
        ("preset", job.preset),
        ("adapter", job.adapter),
        ("output", job.output),
    )
    return tuple(JobPlace(use, one.bucket or "", one.claim or "", one.path) for use, one in named if one is not None)


def job_grants(places: tuple[JobPlace, ...]) -> tuple[Grant, ...]:
    """One role on each bucket: writing includes reading."""
    written = {one.bucket for one in places if one.writes}
    roles = {one.bucket: WRITES_BUCKET if one.bucket in written else READS_BUCKET for one in places if one.bucket}
    return tuple(Grant(role, "bucket", bucket) for bucket, role in roles.items())
