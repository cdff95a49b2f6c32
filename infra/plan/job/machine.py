"""The machine of a job's pods: one accelerator each, the cheapest that is sold as asked."""

from __future__ import annotations

import math

from infra.catalog.records import Accelerator, Catalog, Machine
from infra.plan.job.job_plan import JobCost
from infra.plan.placement import usable_memory_gib
from infra.plan.prices import ceiling_usd_per_hour, exact_usd_per_hour
from infra.plan.refusal import RefusedError
from infra.spec import Capacity, EndpointSpec
from infra.spec.job import Job

# A job goes on where its machine was taken away, so that the cheapest way of buying comes first.
_FIRST_CHOICES = ("spot", "on-demand", "flex-start")
_PROCESS_GIB = 4  # assumed: keras-hub, its backend, and a shard of the weights on their way to the accelerator
_SECONDS_PER_HOUR = 3600


def job_machine(
    spec: EndpointSpec, accelerator: Accelerator, catalog: Catalog, weights_gib: float
) -> tuple[Machine, Capacity]:
    """Machine and capacity.

    Raises:
        RefusedError: no machine carries one accelerator with memory enough beside it, or none is sold so.
    """
    if spec.capacity and len(spec.capacity) > 1:
        raise RefusedError(("capacity",), "a job has one way of buying; write one entry.")
    if accelerator.note and not accelerator.machines:
        raise RefusedError(("accelerator",), f"{accelerator.id}: {accelerator.note.rstrip('.')}.")
    need_gib = host_need_gib(weights_gib)
    single = [one for one in accelerator.machines if one.accelerators == 1 and one.vcpus and one.memory_gib]
    if not single:
        raise RefusedError(
            ("accelerator",), f"no machine carries 1 x {accelerator.id}, and a job of keras-hub runs on one."
        )
    roomy = [one for one in single if usable_memory_gib(one) >= need_gib]
    if not roomy:
        raise RefusedError(
            ("accelerator",),
            f"machines with 1 x {accelerator.id} leave a pod less than {need_gib} GiB, which loading the preset takes.",
        )
    wanted = tuple(spec.capacity) if spec.capacity else tuple(_bought(kind) for kind in _FIRST_CHOICES)
    for capacity in wanted:
        sold = [one for one in roomy if capacity.kind in one.capacity]
        if sold:
            return min(sold, key=lambda one: _rank(catalog, one, capacity)), capacity
    offers = sorted({kind for one in roomy for kind in one.capacity})
    raise RefusedError(
        ("capacity",),
        f"Compute Engine does not sell 1 x {accelerator.id} as {wanted[0]}; it does as {', '.join(offers)}.",
    )


def _bought(kind: str) -> Capacity:
    return Capacity.model_construct(kind=kind, reservation=None)


def _rank(catalog: Catalog, machine: Machine, capacity: Capacity) -> tuple[float, int, str]:
    price = ceiling_usd_per_hour(catalog, machine.machine_type, capacity.kind)
    return (math.inf if price is None else price, machine.memory_gib or 0, machine.machine_type)


def host_need_gib(weights_gib: float) -> int:
    """Host memory of a pod."""
    return math.ceil(weights_gib) + _PROCESS_GIB


def job_cost(catalog: Catalog, machine: Machine, capacity: Capacity, job: Job, parallel: int) -> JobCost:
    """By the hour while all run, and until the deadline, which bounds retries and waiting.

    Raises:
        RefusedError: it can cost more than job.budgetUsd, or what it costs is not known.
    """
    each = ceiling_usd_per_hour(catalog, machine.machine_type, capacity.kind)
    if each is None:
        if job.budgetUsd is not None:
            raise RefusedError(
                ("job", "budgetUsd"), f"no dated list price of {machine.machine_type} is known; leave it out."
            )
        return JobCost(None, None, False, f"no dated list price of {machine.machine_type} is known")
    exact = exact_usd_per_hour(catalog, machine.machine_type, capacity.kind) is not None
    region = catalog.price_region
    basis = (
        f"{capacity.kind} list price, {region}"
        if exact
        else f"at most: on-demand list price, {region}; no {capacity.kind} list price is known"
    )
    most = each * parallel * job.deadlineSeconds / _SECONDS_PER_HOUR
    if job.budgetUsd is not None and most > job.budgetUsd:
        seconds = math.floor(job.budgetUsd * _SECONDS_PER_HOUR / each / parallel)
        raise RefusedError(
            ("job", "budgetUsd"),
            f"{parallel} x {machine.machine_type} until the deadline of {job.deadlineSeconds:,} s cost up to "
            f"{most:,.2f} USD ({each:g} USD per hour each), over the budget of {job.budgetUsd:,.2f}. Write "
            f"deadlineSeconds: {seconds} or less, or a budget of {math.ceil(most)}.",
        )
    return JobCost(each * parallel, most, exact, basis)
