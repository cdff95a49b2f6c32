"""Spec, platform and catalogue in, `ServingPlan` out: where everything about an endpoint comes together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

from infra.catalog.records import Catalog
from infra.lock import NO_LOCK, Lock, Use
from infra.plan.access import access
from infra.plan.alternatives import better_precision
from infra.plan.capabilities import Capabilities
from infra.plan.cautions import cautions
from infra.plan.cost import check_budget, cost
from infra.plan.credentials import credentials
from infra.plan.demand import GIB
from infra.plan.deployable import only_planned
from infra.plan.engine_image import reference_of
from infra.plan.exposure import exposure
from infra.plan.first_token import first_token
from infra.plan.fit import memory
from infra.plan.identity import grants
from infra.plan.images import image_for, image_gib
from infra.plan.lacking import refuse_lacking
from infra.plan.ladder import choices, place, rungs
from infra.plan.local_service import check_local, local_model, local_weights, only_text
from infra.plan.locked import at_commits, locked, moving_repositories, plan_uses, with_digests
from infra.plan.nearest import NO_SINGLE_CHANGE, nearest_plans, other_accelerators, other_frameworks
from infra.plan.own_nodes import NodeShare
from infra.plan.placement import SOLD, zones
from infra.plan.pool_options import check_wanted, local_ssds
from infra.plan.pools import node_pools, stop_of_all, the_machines
from infra.plan.proof import proof_lines
from infra.plan.quantities import Timing
from infra.plan.question import NotPlannedError, ask
from infra.plan.reasons import decisions
from infra.plan.refusal import RefusedError
from infra.plan.registry import pulled_from, through_registry
from infra.plan.request import Request
from infra.plan.rollout import rollout, rollout_usd
from infra.plan.scaling import scaling
from infra.plan.search import Choice, CrampedError, DoesNotFitError, choose
from infra.plan.serving_plan import (
    AcceleratorChoice,
    AdapterChoice,
    Context,
    FrameworkChoice,
    ModelChoice,
    Parallelism,
    ServingPlan,
)
from infra.plan.shared_gateway import shared_exposure
from infra.plan.slices import slice_topology
from infra.plan.synced_secrets import synced_secrets
from infra.plan.timing import timing
from infra.plan.watching import watch
from infra.plan.weights_source import commit_of_model, weights_choice
from infra.spec import Capacity, EndpointSpec, PlatformSpec


@dataclasses.dataclass(frozen=True)
class Resolved:
    """A plan, and what it was made of, for those who want to ask more of it; `uses` are what a lock fixes of it."""

    plan: ServingPlan
    request: Request
    choice: Choice
    uses: tuple[Use, ...] = ()


def resolve(
    stack: str,
    spec: EndpointSpec,
    platform: PlatformSpec,
    catalog: Catalog,
    frameworks: Mapping[str, Capabilities],
    lock: Lock = NO_LOCK,
) -> Resolved:
    """Plan one endpoint whose model, accelerator and framework exist in the catalogue.

    Args:
        stack: its name.
        spec: what is served.
        platform: where.
        catalog: the facts.
        frameworks: capabilities of those frameworks that can be planned.
        lock: what fixes the names that move.

    Raises:
        RefusedError: not supported, does not fit, too dear, or not sold like that.
    """
    check_local(spec, platform)
    spec = only_text(spec)

    def request_of(changed: EndpointSpec) -> Request:
        return ask(changed, platform, catalog, frameworks.get(changed.framework))

    try:
        request = request_of(spec)
    except NotPlannedError as refused:
        others = other_frameworks(spec, catalog, frameworks, request_of)
        raise refused.with_lines(others) from None
    check_wanted(request)
    capacities = tuple(spec.capacity[:1]) if spec.capacity else SOLD
    first = _first(request, capacities, frameworks, request_of)
    chosen = choices(request, first)
    prices = [cost(request, one.candidate) for one in chosen]
    try:
        check_budget(request, [(one.candidate, price) for one, price in zip(chosen, prices, strict=True)])
    except RefusedError as refused:
        raise refused.with_lines(nearest_plans(request, request_of)) from None
    dearest = [price.monthly_usd_max for price in prices]
    highest = None if None in dearest else max(price for price in dearest if price is not None)
    candidate, fit, setting = first.candidate, first.fit, first.fit.setting
    checkpoint, accelerator, facts = candidate.checkpoint, request.accelerator, request.framework
    image = image_for(facts, accelerator)
    reference = reference_of(spec, facts, accelerator, request.version)
    fixed = lock.image(reference) if platform.in_cluster else reference
    pulled = fixed if spec.engine.image is not None else pulled_from(fixed, platform.gke)
    share = candidate.machine if isinstance(candidate.machine, NodeShare) else None
    answer_seconds = spec.longestAnswerSeconds or request.capabilities.drain_seconds
    times = stop_of_all(request, chosen, _times(request, first))
    machine, hosts = the_machines(
        request, chosen, weights_gib=times.weights_bytes / GIB, image_gib=image_gib(image, accelerator) or 0
    )
    settings = request.capabilities.settings(setting, fit.have_bytes)
    weights = weights_choice(
        stack,
        spec,
        checkpoint,
        request.drafter,
        request.inputs,
        own_fetch=not request.capabilities.pins_revision,
        nodes=candidate.nodes,
    )
    moving = moving_repositories(weights)
    weights = at_commits(weights, lock)
    if platform.local:
        weights = local_weights(spec, weights)
    synced = synced_secrets(stack, spec, platform.gke, request.capabilities.api_key_name)
    rolling = rollout(
        spec.replicas,
        times,
        own=not platform.in_cluster,
        processor=accelerator.kind == "cpu",
        one_node_volume=weights.exclusive,
    )
    rollout_price = rollout_usd(rolling, candidate.usd_per_hour)
    proof = memory(request.capabilities, fit, limit_tokens=request.capabilities.max_tokens(request.model, accelerator))
    scaled = scaling(
        request,
        times,
        most_running=dict(settings).get("maxNumSeqs", request.concurrency) * candidate.data,
        fit=proof.max_concurrent_requests,
    )
    autoscaler = scaled.autoscaler if scaled else None
    watched = watch(platform, catalog.metrics.get(facts.name), autoscaler=autoscaler)
    plan = ServingPlan(
        stack=stack,
        platform=spec.platform,
        model=local_model(
            spec,
            ModelChoice(
                id=request.model.id,
                checkpoint=checkpoint.repository,
                revision=commit_of_model(weights, spec, checkpoint) if request.capabilities.pins_revision else None,
                format=checkpoint.format,
                drafter=request.drafter.repository if request.drafter else None,
                draft_tokens=request.drafter.tokens if request.drafter else None,
                licence=checkpoint.licence,
                gated=checkpoint.gated,
            ),
        ),
        framework=FrameworkChoice(facts.name, request.version, pulled),
        precision=checkpoint.precision,
        inputs=request.inputs,
        tools=spec.tools,
        reasoning=spec.reasoning,
        accelerator=AcceleratorChoice(
            type=accelerator.id,
            kind=accelerator.kind,
            count=candidate.count,
            nodes=candidate.nodes,
            machine_type=candidate.machine.machine_type,
            capacity=candidate.capacity.kind,
            reservation=candidate.capacity.reservation,
            gke_label=accelerator.gke_label or "",
            resource=accelerator.resource or "",
            zones=zones(accelerator, platform.gke) if platform.gke else (),
            topology=slice_topology(accelerator, candidate.machine),
            node_labels=share.selector if share else (),
            taints=share.taints if share else (),
            runtime_writes=share is not None and share.runtime_writes,
        ),
        parallelism=Parallelism(candidate.tensor, candidate.pipeline, candidate.data),
        context=Context(setting.tokens, setting.batched_tokens or None, request.concurrency),
        memory=proof,
        host=machine,
        timing=times,
        cost=dataclasses.replace(prices[0], monthly_usd_max=highest, rollout_usd=rollout_price),
        settings=settings,
        unified_slots=spec.engine.unifiedSlots,
        min_replicas=spec.replicas.min,
        replicas=spec.replicas.most,
        ladder=rungs(request, chosen, prices, proof.max_concurrent_requests),
        rollout=rolling,
        access=access(stack, spec.expose, catalog.proxy),
        watch=watched,
        credentials=credentials(stack, spec.engine, request.capabilities),
        weights=weights,
        engine_args=tuple(spec.engine.args),
        adapters=tuple(AdapterChoice(one.name, one.repository, one.revision, one.rank) for one in spec.adapters),
        media_domains=tuple(sorted(set(spec.media.domains))),
        labels=tuple(sorted({**platform.labels, **spec.labels}.items())),
        decisions=(),
        cautions=(),
        only_planned=only_planned(request, chosen),
        exposure=shared_exposure(spec.expose, times, answer_seconds=answer_seconds)
        if platform.kubernetes
        else exposure(
            stack,
            spec.expose,
            platform.gke,
            facts.name,
            times,
            answer_seconds=answer_seconds,
            picker=catalog.picker,
        ),
        scaling=scaled,
        synced_secrets=synced,
        grants=grants(weights, synced, platform.gke),
        node_pools=node_pools(request, chosen, hosts, pulled, rolling, times),
    )
    refuse_lacking(plan, platform)
    uses = plan_uses(reference, plan, moving, lock, in_cluster=platform.in_cluster)
    plan = through_registry(with_digests(plan, lock) if platform.in_cluster else plan, platform.gke)
    plan = dataclasses.replace(
        plan,
        decisions=locked(decisions(request, plan, first, better_precision(request, first, capacities)), uses),
        cautions=cautions(request, plan, first, request_of),
    )
    return Resolved(plan, request, first, uses)


def _first(
    request: Request,
    capacities: tuple[Capacity, ...],
    frameworks: Iterable[str],
    ask_again: Callable[[EndpointSpec], Request],
) -> Choice:
    """The choice of the first rung; a refusal comes with its proof and the nearest plans."""
    try:
        return choose(request, capacities)
    except DoesNotFitError as refused:
        lines = proof_lines(refused.closest, request.framework.display_name)
        advice = nearest_plans(request, ask_again) or [NO_SINGLE_CHANGE]
        raise place(request, RefusedError(refused.field, "\n".join([*lines, *advice]))) from None
    except CrampedError as refused:
        advice = nearest_plans(request, ask_again) or [NO_SINGLE_CHANGE]
        raise place(request, refused.with_lines(advice)) from None
    except RefusedError as refused:
        if refused.field == ("framework",):
            others = other_frameworks(request.spec, request.catalog, frameworks, ask_again)
            raise refused.with_lines(others) from None
        if refused.field != ("accelerator",):
            raise place(request, refused) from None
        others = other_accelerators(request, ask_again)
        raise place(request, refused.with_lines(others)) from None


def _times(request: Request, choice: Choice) -> Timing:
    candidate, capabilities = choice.candidate, request.capabilities
    image = image_for(request.framework, request.accelerator)
    size_bytes = capabilities.weights_bytes(request.model, candidate.checkpoint, request.inputs)
    assert size_bytes is not None
    drafter = request.drafter
    weights_bytes = size_bytes + (2 * (drafter.parameters or 0) if drafter else 0)
    ssd = "local-ssd" if local_ssds(request, candidate.machine) else request.accelerator.boot_disk_type
    return timing(
        capabilities,
        weights_bytes=weights_bytes,
        image_gib=image_gib(image, request.accelerator),
        capacity=candidate.capacity.kind,
        source=request.spec.weights.source if request.capabilities.pins_revision else "engine",
        disk=ssd or "own",
        timeout_seconds=request.spec.startupTimeoutSeconds,
        kind=request.accelerator.kind,
        answer_seconds=request.spec.longestAnswerSeconds,
        in_pod=request.platform.in_cluster,
        first_token=first_token(
            choice.fit.setting,
            request.catalog.compute.get(request.accelerator.id),
            capabilities.prefill_shares_on(request.accelerator.kind),
            weights_bytes=weights_bytes,
        ),
    )
