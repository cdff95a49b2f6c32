"""Plans of jobs: batches that end, in place of endpoints that serve."""

from infra.plan.job.job_plan import JobPlan
from infra.plan.job.resolve import job_uses, resolve_job

__all__ = ["JobPlan", "job_uses", "resolve_job"]
