"""What the stack of an endpoint makes in Google Cloud."""

from __future__ import annotations

from infra.cloud.identity import identity
from infra.cloud.node_pool import node_pools
from infra.cloud.resource import CloudResource
from infra.plan.placed import Placed
from infra.spec import Gke


def endpoint_resources(plan: Placed, gke: Gke, project_number: str | None = None) -> tuple[CloudResource, ...]:
    """All of it, in the order in which it is made.

    Args:
        plan: of the endpoint.
        gke: its platform.
        project_number: of the platform's project, where `needs_project_number` says so.
    """
    members = identity(plan, gke, project_number) if project_number is not None else ()
    assert len(members) == len(plan.grants), "the project's number was not looked up"
    return (*members, *node_pools(plan, gke))


def needs_project_number(plan: Placed) -> bool:
    """Whether anything names the project by its number, which only Google knows."""
    return bool(plan.grants)
