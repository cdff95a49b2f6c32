"""Machines of Vertex AI for a model: those on which Model Garden was seen to serve it, and no others."""

from __future__ import annotations

from infra.catalog.records import Machine
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
            ("accelerator", "count"), f"Model Garden was seen with {counts} x {accelerator.id}, not {count}."
        )
    known = {one.machine_type: one for one in accelerator.machines}
    return [(known[one.machine_type], kind, one.count) for one in of_count for kind in capacities]


def _unmarked(request: Request) -> str:
    model = request.catalog.managed.garden_models[request.model.id]
    seen = sorted({one.accelerator for one in request.catalog.managed.offers if one.model == request.model.id})
    known = f"It was seen on {' and '.join(seen)}." if seen else "No machine is known for it."
    return (
        f"Model Garden was not seen to offer {request.model.id} on {request.accelerator.id}. {known} "
        f"What it offers today: gcloud ai model-garden models list-deployment-config --model={model.publisher_model}"
    )
