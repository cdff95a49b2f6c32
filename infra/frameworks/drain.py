"""Pre-stop of engines whose own stop is not documented: wait until no caller is connected, as the kernel sees it."""

from __future__ import annotations

from infra.plan.quantities import Timing


def wait_until_unused(timing: Timing, port: int) -> dict[str, object]:
    """Kubernetes lifecycle handler that leaves load balancing, then waits until nobody is connected to the engine.

    The proxy keeps no connection open after an answer, so that one that is established is a request. The kernel's
    tables are read in place of metrics, whose names differ by engine: local address, remote address, state 01. The
    limit is on the clock, as a busy machine is slow to count.

    Args:
        timing: of the plan.
        port: where the engine listens.
    """
    established = f"^ *[0-9]+: [0-9A-F]+:{port:04X} [0-9A-F]+:[0-9A-F]+ 01 "
    script = (
        f"sleep {timing.pre_stop_seconds}; end=$(($(date +%s)+{timing.drain_seconds})); "
        f"while [ $(date +%s) -lt $end ] && grep -Eqs '{established}' /proc/net/tcp /proc/net/tcp6; do sleep 1; done"
    )
    return {"exec": {"command": ["sh", "-c", script]}}
