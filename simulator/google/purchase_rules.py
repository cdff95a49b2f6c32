"""What Google refuses about how a node pool's machines are bought: on demand, Spot, Flex-start, queued, reserved.

Each rule's docstring names its source; "no source for the wording" as in `pool_rules`.
"""

from __future__ import annotations

import re

from simulator.google import pool_inputs
from simulator.google.errors import bad_request
from simulator.google.machine_types import MachineType
from simulator.google.pool_inputs import Inputs

_FLEX_RUN_SECONDS = (600, 604800)
_RUN_SECONDS = (30, 10368000)
_RESERVATION_KEY = "compute.googleapis.com/reservation-name"


def check_purchase(machine_type: MachineType, pool: Inputs) -> None:
    """Refuse a way of buying that Google would refuse.

    Raises:
        GoogleApiError: The first rule that is broken.
    """
    _check_run_duration(pool)
    _check_flex_start(pool)
    _check_queued(pool)
    _check_reservation(pool)
    _check_provisioning(machine_type, pool)


def _check_provisioning(machine_type: MachineType, pool: Inputs) -> None:
    """Ways of buying that a machine type lacks.

    Rule: Compute Engine docs, accelerator-optimized machines ("may only be created as Spot or Flex-start
    VMs"), 2026-04-15; google/skills for A3 Ultra, A4 and A4X. A queued pool is bought as Flex-start was before it
    had that name. No source for the wording.
    """
    config = pool_inputs.node_config(pool)
    reservation = config.get("reservationAffinity") or {}
    if config.get("flexStart") or pool_inputs.is_queued(pool):
        model = "flex_start"
    elif config.get("spot") or config.get("preemptible"):
        model = "spot"
    elif reservation.get("consumeReservationType") == "SPECIFIC_RESERVATION":
        model = "reservation"
    else:
        model = "on_demand"
    if model not in machine_type.provisioning:
        names = {"on_demand": "STANDARD", "reservation": "RESERVATION_BOUND"}
        offered = sorted(names.get(one, one.upper()) for one in machine_type.provisioning)
        raise bad_request(
            f"Machine type {machine_type.name} is not available with provisioning model "
            f"{names.get(model, model.upper())}. Available: {', '.join(offered)}."
        )


def _check_run_duration(pool: Inputs) -> None:
    """How long a node may run: 10 minutes to 7 days as Flex-start, 30 seconds to 120 days else.

    Ranges and text: GKE's autoscaler, for Flex-start; the same text is used for the others. The form with an "s" is
    that of a protobuf duration, in the words of Google's JSON parser.
    """
    config = pool_inputs.node_config(pool)
    given = config.get("maxRunDuration")
    if not given:
        return
    if not re.fullmatch(r"\d+(\.\d{1,9})?s", str(given)):
        raise bad_request(
            "Invalid value at 'node_pool.config.max_run_duration' (type.googleapis.com/google.protobuf.Duration), "
            f"Field 'maxRunDuration', Illegal duration format; duration must end with 's', \"{given}\""
        )
    flex = bool(config.get("flexStart"))
    least, most = _FLEX_RUN_SECONDS if flex else _RUN_SECONDS
    seconds = float(str(given).removesuffix("s"))
    if not least <= seconds <= most:
        span = "10 minutes - 7 days" if flex else "30 seconds - 120 days"
        raise bad_request(f"MaxRunDuration is not within the allowed range ({span}). Got {seconds:g} seconds.")


def _check_flex_start(pool: Inputs) -> None:
    """Settings that Flex-start forces.

    Rules: GKE docs, flex-start GPU node pool, 2026-06-09, and the Cluster Toolkit's preconditions. "Flex Start
    ... incompatible with Spot" is the ComputeClass CRD's; "requires reservation affinity" is GKE's for queued
    provisioning (terraform-provider-google #18341); "the only strategy supported by DWS node pools" GKE's
    autoscaler's. No source for the other two.
    """
    config = pool_inputs.node_config(pool)
    if not config.get("flexStart"):
        return
    if config.get("spot") or config.get("preemptible"):
        raise bad_request("Flex Start provisioning model is incompatible with Spot")
    affinity = (config.get("reservationAffinity") or {}).get("consumeReservationType")
    if affinity != "NO_RESERVATION":
        raise bad_request("Flex_start requires reservation affinity to be set to none.")
    management = pool.get("management") or {}
    if management.get("autoRepair", True):
        raise bad_request("Flex_start requires node auto-repair to be disabled.")
    if pool.get("nodeCount") or not pool.get("autoscaling"):
        raise bad_request("Flex_start requires autoscaling to be enabled.")
    strategy = (pool.get("upgradeSettings") or {}).get("strategy") or "SHORT_LIVED"
    if strategy != "SHORT_LIVED":
        raise bad_request(
            f"Upgrade strategy {strategy} cannot be used: SHORT_LIVED is the only strategy supported by DWS node pools."
        )


def _check_queued(pool: Inputs) -> None:
    """A pool for ProvisioningRequests.

    Wording of the first: terraform-provider-google #18341. Rules of the others: GKE docs, queued provisioning; no
    source for their wording.
    """
    if not pool_inputs.is_queued(pool):
        return
    config = pool_inputs.node_config(pool)
    if (config.get("reservationAffinity") or {}).get("consumeReservationType") != "NO_RESERVATION":
        raise bad_request("Queued_provisioning requires reservation affinity to be set to none.")
    if pool.get("nodeCount") or not pool.get("autoscaling"):
        raise bad_request("Queued_provisioning requires autoscaling to be enabled.")
    if config.get("spot") or config.get("preemptible"):
        raise bad_request("Queued_provisioning is incompatible with Spot.")


def _check_reservation(pool: Inputs) -> None:
    """A specific reservation is named by a key and values (GKE API, ReservationAffinity). No source for the wording."""
    config = pool_inputs.node_config(pool)
    affinity = config.get("reservationAffinity") or {}
    kind = affinity.get("consumeReservationType")
    if kind == "SPECIFIC_RESERVATION":
        if affinity.get("key") != _RESERVATION_KEY or not affinity.get("values"):
            raise bad_request(
                f'Reservation_affinity of SPECIFIC_RESERVATION needs the key "{_RESERVATION_KEY}" and the name of a '
                "reservation as value."
            )
        if config.get("spot") or config.get("preemptible"):
            raise bad_request("Spot node pools cannot consume reservations.")
    elif affinity.get("key") or affinity.get("values"):
        raise bad_request(f"Reservation_affinity of {kind} must not have a key or values.")
