"""What is asked of Model Garden: checked, and the cheapest of its offers that fits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from infra.catalog.records import Catalog
from infra.plan.capabilities import Capabilities
from infra.plan.nearest import NO_SINGLE_CHANGE, nearest_plans
from infra.plan.offered import ON_DEMAND, seen
from infra.plan.proof import proof_lines
from infra.plan.question import check_abilities, check_engine, inputs_of
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.search import Choice, CrampedError, DoesNotFitError, choose
from infra.spec import EndpointSpec, PlatformSpec

_MOST_PER_CENT = 100


def garden_request(spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog, engine: Capabilities) -> Request:
    """The request of a stack file whose words exist in the catalogue.

    Raises:
        RefusedError: Model Garden or the engine does not have it.
    """
    model, facts = catalog.models[spec.model], catalog.frameworks[spec.framework]
    accelerator = catalog.accelerators[spec.on.type]
    name = facts.display_name
    if model.id not in catalog.managed.garden_models:
        raise RefusedError(("model",), f"{name} has the instruction-tuned models alone; write {model.id}-it.")
    if accelerator.vertex_type is None:
        raise RefusedError(("accelerator",), f"Vertex AI has no {accelerator.id}. {seen(catalog, model.id)}")
    _check_file(spec, name)
    if spec.vertex is None or spec.vertex.container == "planned":
        _check_planned(spec, catalog)
    else:
        _check_verified(spec)
    inputs = inputs_of(spec, model, facts)
    check_abilities(spec, model, facts)
    capabilities = dataclasses.replace(engine, kinds=("gpu",))
    check_engine(spec, facts, capabilities, accelerator)
    version = catalog.managed.container.engine_version
    return Request(spec, platform, catalog, model, accelerator, facts, capabilities, version, inputs, None)


def fitting(request: Request, ask: Callable[[EndpointSpec], Request]) -> Choice:
    """The cheapest offer that fits.

    Raises:
        RefusedError: none does, with the proof and the nearest plans.
    """
    capacities = tuple(request.spec.capacity) if request.spec.capacity else (ON_DEMAND,)
    try:
        return choose(request, capacities, one_machine=True)
    except DoesNotFitError as refused:
        lines = proof_lines(refused.closest, request.framework.display_name)
        raise RefusedError(
            refused.field, "\n".join([*lines, *(nearest_plans(request, ask) or [NO_SINGLE_CHANGE])])
        ) from None
    except CrampedError as refused:
        raise refused.with_lines(nearest_plans(request, ask) or [NO_SINGLE_CHANGE]) from None


def _check_file(spec: EndpointSpec, name: str) -> None:
    if spec.capacity is not None and len(spec.capacity) > 1:
        raise RefusedError(("capacity",), f"{name} buys its machines in one way; write one of them.")
    if spec.replicas.min < 1:
        raise RefusedError(("replicas", "min"), f"this version keeps at least one replica at {name}; write min: 1.")
    if spec.replicas.spare:
        raise RefusedError(("replicas", "spare"), f"{name} has no spare machines; leave it out.")
    scaled = spec.vertex.autoscaling if spec.vertex else None
    if scaled is not None and spec.replicas.most == spec.replicas.min:
        raise RefusedError(
            ("vertex", "autoscaling"),
            f"nothing to scale: write replicas: {{min: {spec.replicas.min}, max: {spec.replicas.min + 1}}}.",
        )
    if scaled is not None and scaled.metric != "requests" and scaled.target > _MOST_PER_CENT:
        raise RefusedError(
            ("vertex", "autoscaling", "target"), f"a share is at most {_MOST_PER_CENT} per cent; write less."
        )
    if spec.vertex is not None and spec.vertex.provider == "native" and spec.capacity:
        kind = spec.capacity[0].kind
        if kind == "flex-start":
            raise RefusedError(("capacity", 0), "Pulumi's own resource has no flex-start; write provider: sdk.")


def _check_planned(spec: EndpointSpec, catalog: Catalog) -> None:
    if catalog.managed.garden_models[spec.model].weights is None:
        raise RefusedError(
            ("vertex", "container"),
            f"the folder that Model Garden's own deployments of {spec.model} read is not known, so no arguments can be "
            "planned for it; write vertex: {container: verified} (docs/managed.md).",
        )


def _check_verified(spec: EndpointSpec) -> None:
    """Nothing that only arguments of the plan could bring about is passed over in silence."""
    said = [(key,) for key in ("concurrency", "contextLength") if key in spec.model_fields_set]
    for field in [*said, *(("engine", key) for key in sorted(spec.engine.model_fields_set))]:
        raise RefusedError(
            field, "a verified container has Model Garden's own arguments; leave it out, or write container: planned."
        )
