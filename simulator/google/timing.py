"""How long simulated things take; every value can be set so that queues and losses can be watched."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator.errors import SimulatorError

_PREFIX = "SERVESTACK_SIMULATOR_"


@dataclass(frozen=True)
class Timing:
    """Durations in seconds of wall-clock time.

    Each comes from the state's `timing` section (by field name), else from an environment variable such as
    SERVESTACK_SIMULATOR_PROVISION_SECONDS, else from the default here.
    """

    provision_seconds: float = 1.0
    """From the autoscaler's decision until a new node registers; minutes on GKE."""
    operation_seconds: float = 0.0
    """What an operation on a cluster or node pool takes besides its nodes; minutes on GKE."""
    stockout_retry_seconds: float = 2.0
    """How long the creation of a pool with nodes keeps trying in a stock-out; 35 to 40 minutes on GKE."""
    flex_wait_seconds: float = 900.0
    """How long a Flex-start node may wait for capacity (GKE autoscaler: capacityCheckWaitTime, 15 min)."""
    scan_seconds: float = 0.5
    """Pause between two rounds of the autoscaler; 10 s on GKE."""
    scale_down_seconds: float = 600.0
    """How long a node must be unneeded before it is removed (GKE default, 10 min)."""
    backoff_seconds: float = 300.0
    """First back-off of a node group after a failed scale-up; then twice, four times and six times that
    (GKE autoscaler, pkg/backoff: 5, 10, 20, 30 min)."""
    backoff_reset_seconds: float = 10800.0
    """After this time since its first failure a group's back-off starts anew (GKE autoscaler: 3 h)."""

    @classmethod
    def current(cls, state: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Timing:
        """The values in force.

        Args:
            state: The simulator's state.
            environment: Environment variables.

        Raises:
            SimulatorError: A value is not a number of seconds.
        """
        given = state.get("timing") or {}
        values = {}
        for field in dataclasses.fields(cls):
            variable = f"{_PREFIX}{field.name.upper()}"
            value = given.get(field.name, environment.get(variable))
            if value is not None:
                values[field.name] = _seconds(variable, value)
        return cls(**values)


def _seconds(variable: str, value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SimulatorError(f"{variable}={value}: a number of seconds is needed, such as 60.")
    return seconds
