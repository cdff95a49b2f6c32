"""Node pools that GKE makes by itself and removes when they are empty."""

from __future__ import annotations

from typing import Any

from simulator.google.class_pools import pool_name
from simulator.google.nodes import timestamp
from simulator.google.pool_inputs import Inputs
from simulator.google.state import State
from simulator.google.timing import Timing


class AutoPools:
    """Pools of one cluster that were made for pods, marked `autoprovisioned` in the state."""

    def __init__(self, state: State, cluster_id: str) -> None:
        self._state = state
        self._cluster_id = cluster_id
        self._empty_since: dict[str, float] = {}

    def create(self, inputs: Inputs) -> str:
        """Make an empty pool; return its name."""
        name = pool_name(inputs)
        with self._state.change() as data:
            data["clusters"][self._cluster_id]["nodePools"][name] = {
                "inputs": inputs,
                "status": "RUNNING",
                "message": "",
                "createdAt": timestamp(),
                "nodes": {},
                "autoprovisioned": True,
            }
        return name

    def remove_empty(self, cluster: dict[str, Any], growing: set[str], now: float, timing: Timing) -> None:
        """Remove pools that have had no node for as long as a node must be unneeded.

        Args:
            cluster: The cluster's record.
            growing: Pools with a node on its way.
            now: The clock.
            timing: Durations in force.
        """
        made = {name: one for name, one in cluster["nodePools"].items() if one.get("autoprovisioned")}
        self._empty_since = {name: since for name, since in self._empty_since.items() if name in made}
        for name, record in made.items():
            if record["nodes"] or name in growing:
                self._empty_since.pop(name, None)
                continue
            if now - self._empty_since.setdefault(name, now) < timing.scale_down_seconds:
                continue
            with self._state.change() as data:
                pools = data["clusters"].get(self._cluster_id, {"nodePools": {}})["nodePools"]
                if name in pools and not pools[name]["nodes"]:
                    del pools[name]
