"""How many resources a stack has, so that a yardstick can have as many."""

from __future__ import annotations

from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder
from simulator.binaries import REPOSITORY

# Stack, provider and component of either side, and the node pool.
_BESIDE_OBJECTS = 6


def resources(stack: str) -> int:
    """Resources of an endpoint: its Kubernetes objects and what is beside them."""
    endpoint = build(stack, StackFolder(REPOSITORY / "stacks"))
    assert isinstance(endpoint, Endpoint)
    return len(endpoint.objects()) + _BESIDE_OBJECTS
