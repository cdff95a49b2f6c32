"""Nodes that Compute Engine takes away, and nodes that a pool still lacks: carried out in the autoscaler's rounds.

Sources: Compute Engine docs, Spot VMs (a notice of up to 30 seconds, then the instance is gone) and
maxRunDuration (the instance is terminated at its end); GKE facts: taint impending-node-termination, annotation
machine-termination-datetime.
"""

from __future__ import annotations

from typing import Any

from simulator.google import pool_inputs
from simulator.google.faults import Faults
from simulator.google.machine_types import Compute
from simulator.google.nodes import Nodes, end_of, timestamp
from simulator.google.state import State

Record = dict[str, Any]


class Losses:
    """Carries out preemptions, ends of run time, and late first nodes."""

    def __init__(self, state: State, compute: Compute, faults: Faults, nodes: Nodes) -> None:
        self._state = state
        self._compute = compute
        self._faults = faults
        self._nodes = nodes
        self._noticed: dict[str, float] = {}
        """When each node got its notice, on the autoscaler's clock."""

    def carry_out(self, data: Record, now: float) -> list[tuple[str, str]]:
        """Take away what a user has asked to lose.

        Args:
            data: The state.
            now: The autoscaler's clock, in seconds.

        Returns:
            Pool and zone of each preempted node, for which the instance group asks again.
        """
        faults = data["faults"]
        notices = faults.get("notices") or {}
        for name, seconds in notices.items():
            if name not in self._noticed and self._nodes.notify(name, seconds):
                self._noticed[name] = now
        due = [name for name, since in self._noticed.items() if now - since >= float(notices.get(name, 0))]
        again = []
        for name in [*faults["preemptions"], *due]:
            found = self._nodes.preempt(name)
            self._noticed.pop(name, None)
            if found is not None:
                again.append(found)
            if found is not None or name in due:  # also one that went before its notice was over
                self._done(name)
        for name in [*(faults.get("expired") or []), *self._at_end(data)]:
            if self._nodes.preempt(name) is not None:
                self._done(name)
        return again

    def _at_end(self, data: Record) -> list[str]:
        """Nodes whose run time is over by the clock on the wall."""
        pools = data["clusters"].get(self._nodes.cluster_id, {}).get("nodePools", {})
        now = timestamp()
        return [
            name
            for record in pools.values()
            for name, node in record["nodes"].items()
            if (end := end_of(record["inputs"], node["createdAt"])) and end <= now
        ]

    def _done(self, name: str) -> None:
        with self._state.change() as data:
            faults = data["faults"]
            for kind in ("preemptions", "expired"):
                if name in faults.get(kind, []):
                    faults[kind].remove(name)
            faults.get("notices", {}).pop(name, None)

    def make_missing(self, cluster: Record) -> None:
        """Make nodes that a pool should have had from its creation, as soon as there is capacity."""
        for pool, record in cluster["nodePools"].items():
            inputs = record["inputs"]
            for zone in record.get("missing") or []:
                machine_type = pool_inputs.machine_type(self._compute, inputs)
                gpus = pool_inputs.accelerator(inputs)[1]
                if self._faults.shortage(zone, machine_type, inputs, gpus) is not None:
                    continue
                self._nodes.add(pool, zone)
                with self._state.change() as changed:
                    now_pool = changed["clusters"][self._nodes.cluster_id]["nodePools"].get(pool)
                    if now_pool and zone in now_pool.get("missing", []):
                        now_pool["missing"].remove(zone)
                        if not now_pool["missing"]:
                            now_pool |= {"status": "RUNNING", "message": ""}
