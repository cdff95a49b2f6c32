"""Spec, platform and catalogue in, `ManagedPlan` out."""

from __future__ import annotations

from infra.catalog.records import Catalog
from infra.lock import NO_LOCK, Lock, Use
from infra.plan.capabilities import Capabilities
from infra.plan.managed.garden import garden_plan, garden_uses
from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.managed.served import served_plan
from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec, PlatformSpec


def resolve_managed(
    stack: str,
    spec: EndpointSpec,
    platform: PlatformSpec,
    catalog: Catalog,
    engine: Capabilities,
    lock: Lock = NO_LOCK,
) -> ManagedPlan:
    """Plan one endpoint that Google runs.

    Args:
        stack: its name.
        spec: what is served.
        platform: where.
        catalog: the facts.
        engine: memory rules of the engine in Model Garden's container.
        lock: what fixes the tag of its image.

    Raises:
        RefusedError: the platform is in no project of Google Cloud, or the service does not have what is asked.
    """
    if platform.cloud is None:
        name = catalog.frameworks[spec.framework].display_name
        raise RefusedError(
            ("platform",), f"{name} needs a project of Google Cloud; name a platform with google or gke."
        )
    if spec.service == "model-garden":
        return garden_plan(stack, spec, platform, catalog, engine, lock)
    return served_plan(stack, spec, platform, catalog)


def managed_uses(spec: EndpointSpec, catalog: Catalog, lock: Lock) -> tuple[Use, ...]:
    """What moves of an endpoint that Google runs: the image of a planned container; its weights are Google's."""
    return garden_uses(spec, catalog, lock) if spec.service == "model-garden" else ()
