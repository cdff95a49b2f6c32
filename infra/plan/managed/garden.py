"""Endpoints of Model Garden: the machine that the model is offered with, and the proof that what is asked fits there.

The container is vLLM's, so the memory rules are vLLM's as well; which version Google has put into it is not known.
"""

from __future__ import annotations

import dataclasses
import math

from infra.catalog.records import Catalog
from infra.lock import Lock, Use, image_uses
from infra.plan.capabilities import Capabilities
from infra.plan.cost import check_budget, cost
from infra.plan.fit import memory
from infra.plan.locked import locked
from infra.plan.managed.buying import METRICS, check_buying, flex_start_seconds, reservation_name
from infra.plan.managed.calling import calling
from infra.plan.managed.garden_request import fitting, garden_request
from infra.plan.managed.managed_plan import FIRST_APIS, Garden, ManagedContext, ManagedModel, ManagedPlan
from infra.plan.managed.reasons import garden_cautions, garden_decisions
from infra.plan.nearest import nearest_plans
from infra.plan.refusal import RefusedError
from infra.plan.request import Request
from infra.plan.serving_plan import AcceleratorChoice, FrameworkChoice, Parallelism
from infra.spec import EndpointSpec, PlatformSpec

# google/skills agent-platform-deploy: 15 to 20 minutes for models of 20B and more; twice that, and it is given up.
_STARTUP_SECONDS = 1200
_APIS = (*FIRST_APIS, "aiplatform", "iam")


def garden_plan(
    stack: str, spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog, engine: Capabilities, lock: Lock
) -> ManagedPlan:
    """Plan an endpoint of Model Garden.

    Args:
        stack: its name.
        spec: what is served.
        platform: where.
        catalog: the facts.
        engine: memory rules of the engine in Model Garden's container.
        lock: what fixes the tag of its image.

    Raises:
        RefusedError: the model is not offered so, it does not fit, it is too dear, or Vertex AI has no such thing.
    """
    assert platform.cloud is not None
    project, region = platform.cloud
    check_buying(spec, region)

    def request_of(changed: EndpointSpec) -> Request:
        return garden_request(changed, platform, catalog, engine)

    request = request_of(spec)
    choice = fitting(request, request_of)
    candidate, setting = choice.candidate, choice.fit.setting
    price = cost(request, candidate)
    try:
        check_budget(request, [(candidate, price)])
    except RefusedError as refused:
        raise refused.with_lines(nearest_plans(request, request_of)) from None
    accelerator, known = request.accelerator, catalog.managed.garden_models[spec.model]
    vertex = spec.vertex
    planned = vertex is None or vertex.container == "planned"
    autoscaling = vertex.autoscaling if vertex else None
    assert accelerator.vertex_type is not None
    plan = ManagedPlan(
        stack=stack,
        platform=spec.platform,
        service="model-garden",
        project=project,
        location=region,
        base_url="",
        apis=_APIS if platform.gke is None else (*_APIS, "iamcredentials"),
        model=ManagedModel(
            request.model.id,
            candidate.checkpoint.repository,
            request.model.id if planned else "",
            candidate.checkpoint.licence,
        ),
        framework=FrameworkChoice(
            request.framework.name,
            request.version if planned else "",
            garden_reference(spec, catalog, lock),
        ),
        precision=candidate.checkpoint.precision,
        inputs=request.inputs,
        tools=spec.tools,
        reasoning=spec.reasoning,
        context=ManagedContext(
            setting.tokens if planned else None,
            None,
            setting.batched_tokens if planned else None,
            request.concurrency if planned else None,
        ),
        accelerator=AcceleratorChoice(
            type=accelerator.id,
            kind=accelerator.kind,
            count=candidate.count,
            nodes=1,
            machine_type=candidate.machine.machine_type,
            capacity=candidate.capacity.kind,
            reservation=candidate.capacity.reservation,
            gke_label="",
            resource="",
            zones=(),
        ),
        parallelism=Parallelism(candidate.tensor, candidate.pipeline, candidate.data) if planned else None,
        memory=memory(engine, choice.fit, limit_tokens=request.model.max_context_tokens) if planned else None,
        settings=engine.settings(setting, choice.fit.have_bytes) if planned else (),
        min_replicas=spec.replicas.min,
        replicas=spec.replicas.most,
        startup_seconds=_STARTUP_SECONDS,
        cost=price,
        token_price=None,
        garden=Garden(
            provider=vertex.provider if vertex else "sdk",
            publisher_model=known.publisher_model,
            endpoint_id=stack,
            model_id=stack,
            accelerator_type=accelerator.vertex_type,
            container="planned" if planned else "verified",
            weights=known.weights or "" if planned else "",
            accept_licence=vertex is not None and vertex.acceptLicence,
            autoscaling=(METRICS[autoscaling.metric], autoscaling.target) if autoscaling else None,
            reservation=reservation_name(spec, project),
            flex_start_seconds=flex_start_seconds(spec),
            timeout_seconds=spec.startupTimeoutSeconds or 2 * 60 * math.ceil(_STARTUP_SECONDS / 60),
        ),
        calling=calling(stack, spec, platform),
        synced_secrets=(),
        grants=(),
        expected_requests_per_minute=None,
        labels=tuple(sorted({**platform.labels, **spec.labels}.items())),
        decisions=(),
        cautions=(),
    )
    return dataclasses.replace(
        plan,
        decisions=locked(garden_decisions(spec, plan, choice.fit), garden_uses(spec, catalog, lock)),
        cautions=garden_cautions(spec, plan),
    )


def garden_uses(spec: EndpointSpec, catalog: Catalog, lock: Lock) -> tuple[Use, ...]:
    """The image of a planned container where its tag can move; Google's own container is Google's to fix."""
    return image_uses([_image(spec, catalog)], lock)


def garden_reference(spec: EndpointSpec, catalog: Catalog, lock: Lock) -> str:
    """The image as Vertex AI takes it: by its tag or by its digest: its documentation has no image with both."""
    image = _image(spec, catalog)
    digest = lock.images.get(image)
    return f"{image.rpartition(':')[0]}@{digest}" if digest else image


def _image(spec: EndpointSpec, catalog: Catalog) -> str:
    if spec.vertex is not None and spec.vertex.container != "planned":
        return ""
    return spec.engine.image or catalog.managed.container.image
