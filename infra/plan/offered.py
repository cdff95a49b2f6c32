"""Machines of Vertex AI for a model: those on which Model Garden was seen to serve it, and no others."""

from __future__ import annotations

from infra.catalog.records import Catalog, Machine
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.spec import Capacity

ON_DEMAND = Capacity.model_construct(kind="on-demand", reservation=None)


def offered(request: Request, capacities: tuple[Capacity, ...]) -> list[tuple[Machine, Capacity, int]]:
    """Machines that the catalogue marks for the model, how each is bought, and how many accelerators it has.

    Compute Engine's rules of sale are not asked: Vertex AI sells its replicas itself (a3-highgpu-1g has a price of its
    own there, and none on demand at Compute Engine).

    Raises:
        RefusedError: the model is not marked for the accelerator, or for that many.
    """
    spec, accelerator = request.spec, request.accelerator
    of_model = [one for one in request.catalog.managed.offers if one.model == request.model.id]
    marked = [one for one in of_model if one.accelerator == accelerator.id]
    if not marked:
        raise RefusedError(("accelerator",), _unmarked(request))
    count = spec.on.count
    of_count = [one for one in marked if count in {None, one.count}]
    if not of_count:
        counts = " or ".join(str(one.count) for one in marked)
        raise RefusedError(
            ("accelerator", "count"),
            f"Model Garden was seen with {counts} x {accelerator.id}, not {count}; leave it out.",
        )
    known = {one.machine_type: one for one in accelerator.machines}
    return [(known[one.machine_type], kind, one.count) for one in of_count for kind in capacities]


def seen(catalog: Catalog, model: str) -> str:
    """On which accelerators Model Garden was seen to serve a model, and what else there is."""
    known = sorted({one.accelerator for one in catalog.managed.offers if one.model == model})
    name = catalog.managed.garden_models[model].publisher_model
    today = f"What it offers today: gcloud ai model-garden models list-deployment-config --model={name}"
    if not known:
        return f"No machine of Model Garden is known for {model}; use framework: vllm. {today}"
    return f"Write {' or '.join(known)}, on which Model Garden was seen to serve {model}. {today}"


def _unmarked(request: Request) -> str:
    model, accelerator = request.model.id, request.accelerator.id
    return f"Model Garden was not seen to offer {model} on {accelerator}. {seen(request.catalog, model)}"
