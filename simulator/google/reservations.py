"""Reservations that a user makes: instances of one machine type in one zone, kept for pools that name them.

Sources: GKE's autoscaler (failed_scale_up_event_logger.go, translateErrorCode) for events and conditions; GKE's
answer 429 from a public issue (gsutil #1000). Compute Engine's own texts were not found; those here say no more
than the rule. Only specific reservations are simulated: ANY_RESERVATION buys on demand.
"""

from __future__ import annotations

from typing import Any

from simulator.google import pool_inputs
from simulator.google.errors import GoogleApiError
from simulator.google.machine_types import Compute
from simulator.google.shortage import Shortage
from simulator.google.state import State

Record = dict[str, Any]


class Reservations:
    """The `reservations` section of the state."""

    def __init__(self, state: State, compute: Compute) -> None:
        self._state = state
        self._compute = compute

    def set(self, name: str, zone: str, machine_type: str, count: int | None) -> None:
        """Make or change a reservation; None removes it.

        Args:
            name: Its name.
            zone: Where, such as "us-central1-a".
            machine_type: Of the table.
            count: How many instances; 0 for one that is used up by others.

        Raises:
            ValueError: The machine type or the zone is not in the table, or the count is negative.
        """
        if machine_type not in self._compute.machine_types:
            known = ", ".join(self._compute.machine_types)
            raise ValueError(f"unknown machine type {machine_type!r}. Known: {known}")
        region = zone.rpartition("-")[0]
        if zone.count("-") != 2 or zone not in self._compute.zones_of(region):
            raise ValueError(
                f"unknown zone {zone!r}. Known in {region or zone}: {', '.join(self._compute.zones_of(region))}"
            )
        if count is not None and count < 0:
            raise ValueError(f"{count} instances: a number from 0 on is needed, such as 2.")
        with self._state.change() as data:
            kept = data.setdefault("reservations", [])
            kept[:] = [one for one in kept if (one["name"], one["zone"]) != (name, zone)]
            if count is not None:
                kept.append({"name": name, "zone": zone, "machineType": machine_type, "count": count})

    def shortage(self, data: Record, zone: str, pool: Record) -> Shortage | None:
        """Why a pool's reservation would not give one more instance in a zone; None if it would."""
        name = pool_inputs.specific_reservation(pool)
        here = [one for one in data.get("reservations", []) if (one["name"], one["zone"]) == (name, zone)]
        if not here:
            return Shortage(
                "UNKNOWN",
                "Reservation not found or incorrectly shared",
                "InvalidReservation",
                f"Specified reservation '{name}' does not exist in zone '{zone}'.",
            )
        machine = pool_inputs.machine_type_name(pool)
        if here[0]["machineType"] != machine:
            text = f"Reservation '{name}' is for machine type {here[0]['machineType']}, not {machine}"
            return Shortage("UNKNOWN", f"Invalid Reservation: {text}", "InvalidReservation", f"{text}.")
        if self._free(data, here[0]) < 1:
            return Shortage(
                "UNKNOWN",
                "Reservation capacity exceeded",
                "ReservationCapacityExceeded",
                f"Specified reservation '{name}' does not have available resources for the request.",
            )
        return None

    def check(self, name: str, pool: Record, zones: list[str], per_zone: int) -> None:
        """Refuse a pool whose first nodes its reservation does not have.

        Args:
            name: The pool's name.
            pool: Its inputs.
            zones: Its zones.
            per_zone: First nodes in each.

        Raises:
            GoogleApiError: 429, with how many instances it is short of.
        """
        reservation = pool_inputs.specific_reservation(pool)
        if not reservation or not per_zone:
            return
        data = self._state.read()
        machine = pool_inputs.machine_type_name(pool)
        for zone in zones:
            free = sum(
                self._free(data, one)
                for one in data.get("reservations", [])
                if (one["name"], one["zone"], one["machineType"]) == (reservation, zone, machine)
            )
            if free < per_zone:
                raise GoogleApiError(
                    429,
                    "Reservation does not have enough resources for the request: specific reservation "
                    f'"{reservation}" is insufficient for node pool "{name}" at zone "{zone}": required {per_zone} '
                    f"and short of {per_zone - free} VM count of machine type {machine}.",
                    "rateLimitExceeded",
                )

    @staticmethod
    def _free(data: Record, reservation: Record) -> int:
        used = sum(
            bool(node["zone"] == reservation["zone"])
            for cluster in data["clusters"].values()
            for pool in cluster["nodePools"].values()
            if pool_inputs.specific_reservation(pool["inputs"]) == reservation["name"]
            for node in pool["nodes"].values()
        )
        return max(0, int(reservation["count"]) - used)
