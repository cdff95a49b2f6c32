"""Stock-outs, quotas, losses and failures that a user sets, so that a refusal, a queue and a loss can be tried."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.google import pool_inputs
from simulator.google.machine_types import Compute, MachineType, region_of
from simulator.google.reservations import Reservations
from simulator.google.shortage import Shortage, over_quota, stockout
from simulator.google.state import State

_PREEMPTIBLE_PREFIX = "PREEMPTIBLE_"


class Faults:
    """The `faults` section of the state."""

    def __init__(self, state: State, compute: Compute) -> None:
        self._state = state
        self._compute = compute
        self.reservations = Reservations(state, compute)

    def set_stockout(self, zone: str, machine_type: str, active: bool = True) -> None:
        """Let a machine type be sold out in a zone ("*" for all), or end that.

        Args:
            zone: A zone such as "us-central1-a", or "*".
            machine_type: A machine type of the table, or "*".
            active: False ends the stock-out.

        Raises:
            ValueError: The machine type is not in the table.
        """
        if machine_type != "*":
            self._machine_type(machine_type)
        entry = {"zone": zone, "machineType": machine_type}
        with self._state.change() as data:
            stockouts = data["faults"]["stockouts"]
            stockouts[:] = [known for known in stockouts if known != entry] + ([entry] if active else [])

    def set_quota(self, gpu_family: str, region: str, limit: int | None) -> None:
        """Limit the GPUs of a family in a region; None removes the limit.

        Args:
            gpu_family: The quota dimension, such as "NVIDIA_H100"; for Spot and Flex-start nodes
                "PREEMPTIBLE_NVIDIA_H100".
            region: A region such as "us-central1".
            limit: Most GPUs; None for no limit.

        Raises:
            ValueError: The family is not in the table.
        """
        families = sorted({accelerator.quota_family for accelerator in self._compute.accelerators.values()})
        if gpu_family.removeprefix(_PREEMPTIBLE_PREFIX) not in families:
            raise ValueError(f"unknown GPU family {gpu_family!r}. Known: {', '.join(families)}")
        with self._state.change() as data:
            quotas = data["faults"]["quotas"]
            quotas[:] = [q for q in quotas if (q["gpuFamily"], q["region"]) != (gpu_family, region)]
            if limit is not None:
                quotas.append({"gpuFamily": gpu_family, "region": region, "limit": limit})

    def preempt(self, node: str, notice_seconds: float | None = None) -> None:
        """Take a Spot node away as Compute Engine does: within a moment, or after a notice.

        Args:
            node: The node's name.
            notice_seconds: How long its pods have to end; None for no notice.

        Raises:
            ValueError: There is no such node, or it is not a Spot node.
        """
        if notice_seconds is not None and not 0 <= notice_seconds < math.inf:
            raise ValueError(f"{notice_seconds} seconds: a number from 0 on is needed, such as 30.")
        self._lose(node, _is_spot, "is not a Spot node: Compute Engine preempts only those.", notice_seconds)

    def expire(self, node: str) -> None:
        """Let a node reach the end of its run time.

        Args:
            node: The node's name.

        Raises:
            ValueError: There is no such node, or its pool has no maxRunDuration and is not Flex-start.
        """
        self._lose(node, _has_end, "has no end: its pool has neither maxRunDuration nor flexStart.", None)

    def _lose(
        self, node: str, allowed: Callable[[dict[str, Any]], bool], complaint: str, notice_seconds: float | None
    ) -> None:
        with self._state.change() as data:
            pools = [pool for cluster in data["clusters"].values() for pool in cluster["nodePools"].values()]
            holding = [pool for pool in pools if node in pool["nodes"]]
            if not holding:
                known = sorted(name for pool in pools for name in pool["nodes"])
                raise ValueError(f"unknown node {node!r}. Known: {', '.join(known) or 'none'}")
            if not allowed(holding[0]["inputs"]):
                raise ValueError(f"{node} {complaint}")
            faults = data["faults"]
            if notice_seconds is not None:
                faults.setdefault("notices", {})[node] = notice_seconds
                return
            kept = faults.setdefault("expired" if allowed is _has_end else "preemptions", [])
            if node not in kept:
                kept.append(node)

    def set_slow(self, seconds: float | None) -> None:
        """Let new nodes take as long to come; None for the default again.

        Raises:
            ValueError: It is not a number of seconds.
        """
        if seconds is not None and not 0 <= seconds < math.inf:
            raise ValueError(f"{seconds} seconds: a number from 0 on is needed, such as 60.")
        with self._state.change() as data:
            timing = data.setdefault("timing", {})
            timing.pop("provision_seconds", None)
            if seconds is not None:
                timing["provision_seconds"] = seconds

    def shortage(self, zone: str, machine_type: MachineType, pool: dict[str, Any], gpus: int) -> Shortage | None:
        """Why one more node of a pool would not be given in a zone, or None if it would.

        Args:
            zone: Where.
            machine_type: The pool's.
            pool: The pool's inputs, which say whether it is Spot or Flex-start.
            gpus: GPUs of one node.
        """
        data = self._state.read()
        if pool_inputs.specific_reservation(pool):
            found = self.reservations.shortage(data, zone, pool)
            if found is not None:
                return found
        elif any(
            one["zone"] in (zone, "*") and one["machineType"] in (machine_type.name, "*")
            for one in data["faults"]["stockouts"]
        ):
            return stockout(zone)
        quota = self.quota(data, zone, pool, gpus)
        if quota is not None and quota.used + gpus > quota.limit:
            return over_quota(quota.limit, region_of(zone))
        return None

    def quota(self, data: dict[str, Any], zone: str, pool: dict[str, Any], gpus: int) -> Quota | None:
        """The quota that one more node of a pool in a zone would count against, or None without a limit."""
        accelerator = _accelerator_of(pool)
        if not gpus or accelerator not in self._compute.accelerators:
            return None
        preemptible = is_preemptible(pool)
        family = self._compute.accelerators[accelerator].quota_family
        metric = f"{_PREEMPTIBLE_PREFIX if preemptible else ''}{family}"
        for entry in data["faults"]["quotas"]:
            if entry["gpuFamily"] == metric and entry["region"] == region_of(zone):
                used = _gpus_in_use(data, region_of(zone), accelerator, preemptible)
                return Quota(metric, float(entry["limit"]), float(used))
        return None

    def _machine_type(self, name: str) -> MachineType:
        try:
            return self._compute.machine_types[name]
        except KeyError:
            raise ValueError(
                f"unknown machine type {name!r}. Known: {', '.join(self._compute.machine_types)}"
            ) from None


@dataclass(frozen=True)
class Quota:
    """One limit and what is used of it, in GPUs."""

    metric: str
    limit: float
    used: float


def is_preemptible(pool: dict[str, Any]) -> bool:
    """Whether a pool's nodes count against preemptible quota: Spot and Flex-start (GKE docs, flex-start)."""
    config = pool.get("nodeConfig") or {}
    return bool(config.get("spot") or config.get("preemptible") or config.get("flexStart"))


def _is_spot(pool: dict[str, Any]) -> bool:
    config = pool_inputs.node_config(pool)
    return bool(config.get("spot") or config.get("preemptible"))


def _has_end(pool: dict[str, Any]) -> bool:
    return pool_inputs.run_seconds(pool) is not None


def _accelerator_of(pool: dict[str, Any]) -> str:
    accelerators = (pool.get("nodeConfig") or {}).get("guestAccelerators") or []
    return str(accelerators[0].get("type", "")) if accelerators else ""


def _gpus_in_use(data: dict[str, Any], region: str, accelerator: str, preemptible: bool) -> int:
    total = 0
    for cluster in data["clusters"].values():
        for pool in cluster["nodePools"].values():
            inputs = pool["inputs"]
            if _accelerator_of(inputs) != accelerator or is_preemptible(inputs) != preemptible:
                continue
            count = int(inputs["nodeConfig"]["guestAccelerators"][0].get("count", 0))
            total += count * sum(region_of(node["zone"]) == region for node in pool["nodes"].values())
    return total
