"""Model Garden's offers beside a plan and the catalogue. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from infra.catalog.records import Catalog
from infra.live.findings import Live, Offered
from infra.plan.managed import ManagedPlan
from infra.text import short_image
from infra.vertex.offer import Offer


def compare(plan: ManagedPlan, catalog: Catalog, live: Live, offers: Iterable[Offer]) -> Live:
    """What Model Garden offers, and where it differs.

    Args:
        plan: of an endpoint of Model Garden.
        catalog: the facts.
        live: what was asked.
        offers: Google's answer.
    """
    marks = {
        (one.machine_type, catalog.accelerators[one.accelerator].vertex_type or "", one.count)
        for one in catalog.managed.offers
        if one.model == plan.model.id
    }
    words = {one.vertex_type: one.id for one in catalog.accelerators.values() if one.vertex_type}
    found = tuple(
        Offered(
            machine_type=one.machine_type,
            accelerator=words.get(one.accelerator_type, ""),
            accelerator_type=one.accelerator_type,
            accelerator_count=one.accelerator_count,
            image=one.image,
            command=one.command,
            args=one.args,
            max_model_len=one.max_model_len,
            marked=_machine(one) in marks,
            planned=_machine(one) == _planned(plan),
        )
        for one in offers
    )
    keeps = any(one.planned for one in found)
    missing = sorted(marks - {_machine(one) for one in found} - {_planned(plan)}) if found else []
    differences = [
        *([] if keeps else [_not_offered(plan, catalog, found)]),
        *_container(plan, [one for one in found if one.planned]),
        *(f"the catalogue marks {_shown(one)}, which is not offered today" for one in missing),
    ]
    return replace(live, keeps_plan=keeps, offers=found, differences=tuple(differences))


_Machine = tuple[str, str, int]


def _machine(one: Offer | Offered) -> _Machine:
    return (one.machine_type, one.accelerator_type, one.accelerator_count)


def _planned(plan: ManagedPlan) -> _Machine:
    assert plan.garden is not None
    assert plan.accelerator is not None
    return (plan.accelerator.machine_type, plan.garden.accelerator_type, plan.accelerator.count)


def _shown(machine: _Machine) -> str:
    name, accelerator, count = machine
    return f"{name} with {count} x {accelerator}" if accelerator else name


def _not_offered(plan: ManagedPlan, catalog: Catalog, found: tuple[Offered, ...]) -> str:
    assert plan.garden is not None
    if not found:
        return f"Model Garden offers no machine at all for {plan.garden.publisher_model} today"
    wanted = _planned(plan)
    memory = {one.vertex_type: one.memory_gib for one in catalog.accelerators.values() if one.vertex_type}

    def distance(one: Offered) -> tuple[bool, bool, float, _Machine]:
        have, need = memory.get(one.accelerator_type), memory.get(wanted[1])
        apart = abs(have * one.accelerator_count - need * wanted[2]) if have and need else math.inf
        return (one.accelerator_type != wanted[1], not one.marked, apart, _machine(one))

    near = min(found, key=distance)
    advice = (
        f"write accelerator: {{type: {near.accelerator}, count: {near.accelerator_count}}}"
        if near.marked
        else "the catalogue does not mark it, so no plan takes it (infra/catalog/managed.yaml)"
    )
    return (
        f"Model Garden does not offer {_shown(wanted)} today: a deployment would be refused; nearest that it offers: "
        f"{_shown(_machine(near))}: {advice}"
    )


def _container(plan: ManagedPlan, here: list[Offered]) -> list[str]:
    """What Model Garden's own containers on the planned machine do otherwise than the plan's."""
    said = []
    images = list(dict.fromkeys(one.image for one in here if one.image))
    if plan.framework.image and images and plan.framework.image not in images:
        own = " or ".join(short_image(one) for one in images)
        said.append(f"the plan's image is {short_image(plan.framework.image)}, Model Garden's own {own}")
    lengths = sorted({one.max_model_len for one in here if one.max_model_len})
    if lengths and plan.context.max_model_len not in lengths:
        own = f"Model Garden's own arguments there take {' or '.join(f'{one:,}' for one in lengths)} tokens"
        if plan.context.max_model_len is None:
            said.append(f"{own}, which the plan does not know")
        else:
            said.append(f"{own}, the plan's {plan.context.max_model_len:,}; the plan's are deployed")
    return said
