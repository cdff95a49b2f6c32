"""What the stack of an endpoint makes in Google Cloud."""

from __future__ import annotations

from infra.cloud.node_pool import node_pools
from infra.cloud.resource import CloudResource
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke


def endpoint_resources(plan: ServingPlan, gke: Gke) -> tuple[CloudResource, ...]:
    """All of it, in the order in which it is made."""
    return node_pools(plan, gke)
