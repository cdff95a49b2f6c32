"""What pods, pools and rights take of a plan, whatever it is a plan of."""

from __future__ import annotations

from typing import Protocol

from infra.plan.identity import Grant
from infra.plan.node_pools import NodePools
from infra.plan.serving_plan import AcceleratorChoice


class Placed(Protocol):
    """A plan of something that runs on machines of its own."""

    @property
    def stack(self) -> str:
        """Its name."""

    @property
    def accelerator(self) -> AcceleratorChoice:
        """Accelerators, and the machine that carries them."""

    @property
    def node_pools(self) -> NodePools:
        """Pools of such machines."""

    @property
    def machines(self) -> int:
        """Most machines."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Rights of its service account."""

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Labels of everything billable."""
