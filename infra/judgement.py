"""An endpoint's rendered objects and node pool, judged by the rules of `infra.policy`."""

from __future__ import annotations

from collections.abc import Iterable

from infra.batch_job import BatchJob
from infra.cloud.node_pool import node_pools
from infra.errors import PolicyError, Problem
from infra.pipeline import Built, Endpoint, ManagedEndpoint, Platform, StackFiles
from infra.policy import Subject, violations


def subject(endpoint: Endpoint | ManagedEndpoint | BatchJob) -> Subject:
    """What is judged of an endpoint that this version deploys, or of a job; of one that Google runs, what callers get.

    Raises:
        PlanError: this version only plans it.
    """
    if isinstance(endpoint, ManagedEndpoint):
        return Subject(endpoint.objects(), (), None)
    gke = endpoint.platform.gke
    pools = tuple(one.inputs for one in node_pools(endpoint.plan, gke)) if gke else ()
    return Subject(endpoint.objects(), pools, endpoint.plan if isinstance(endpoint, Endpoint) else None)


def broken_rules(built: Built, path: str) -> list[Problem]:
    """Rules that the objects of one stack break; none of a platform, and of what is only planned."""
    if isinstance(built, Platform) or (isinstance(built, Endpoint) and built.prepared is None):
        return []
    return [Problem(path, 0, 0, f"policy {rule.name}", str(found)) for rule, found in violations(subject(built))]


def judge(built: Iterable[Built], files: StackFiles) -> None:
    """Refuse endpoints whose objects break a rule; those that are only planned have none.

    Raises:
        PolicyError: every violation of every endpoint.
    """
    problems = [problem for one in built for problem in broken_rules(one, files.path(one.name))]
    if problems:
        raise PolicyError(problems=problems)
