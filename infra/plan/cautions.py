"""What to know before paying for an endpoint, in words: from every part of its plan, in one order."""

from __future__ import annotations

from collections.abc import Callable

from infra.plan.access import open_caution
from infra.plan.alternatives import caution
from infra.plan.candidates import Candidate
from infra.plan.channel import channel_cautions
from infra.plan.credentials import credentials_caution
from infra.plan.engine_image import audio_caution, image_cautions
from infra.plan.exposure import exposure_cautions
from infra.plan.identity import identity_cautions
from infra.plan.lacking import lacking_cautions
from infra.plan.local_service import local_cautions
from infra.plan.lora import adapter_cautions
from infra.plan.media import media_caution
from infra.plan.nearest import nearest_words
from infra.plan.pools import pool_cautions
from infra.plan.request import Request
from infra.plan.rollout import spare_caution
from infra.plan.scaling import scaling_cautions
from infra.plan.search import Choice
from infra.plan.serving_plan import ServingPlan
from infra.plan.shared_gateway import shared_gateway_caution
from infra.plan.synced_secrets import synced_cautions
from infra.plan.timing import drain_caution
from infra.plan.watching import watch_caution
from infra.plan.weights_source import weights_cautions
from infra.spec import EndpointSpec


def cautions(
    request: Request, plan: ServingPlan, choice: Choice, ask_again: Callable[[EndpointSpec], Request]
) -> tuple[str, ...]:
    """All of them.

    Args:
        request: what was asked.
        plan: the answer, but for this.
        choice: what it was made of.
        ask_again: a changed stack file as a request.
    """
    spec, facts, times = request.spec, request.framework, plan.timing
    synced = {one.name for one in plan.synced_secrets}
    said = [
        *_several_machines(request, choice.candidate, ask_again),
        caution(request, choice),
        open_caution(spec.expose),
        *lacking_cautions(request.platform),
        *exposure_cautions(
            spec.expose, request.platform.gke, replicas=spec.replicas.most, data_parallel=choice.candidate.data
        ),
        shared_gateway_caution(plan.exposure.gateway),
        *channel_cautions(facts),
        *request.capabilities.cautions(choice.fit.setting),
        credentials_caution(plan.stack, plan.credentials, synced),
        *synced_cautions(plan.synced_secrets, request.platform.gke),
        media_caution(facts, request.capabilities, request.inputs),
        *image_cautions(spec, facts, request.version, plan.framework.image),
        *adapter_cautions(spec),
        audio_caution(facts, request.inputs),
    ]
    if times.timeout_seconds < times.startup_seconds:
        said.append(f"startupTimeoutSeconds is below the estimate of {times.startup_seconds:,} s: it may never start")
    said += [
        drain_caution(times, spec.longestAnswerSeconds, request.capabilities.drain_seconds),
        *scaling_cautions(plan.scaling, times),
        *pool_cautions(plan),
        spare_caution(plan.rollout, plan.cost.rollout_usd) if request.platform.gke else "",
        watch_caution(plan.watch, plan.scaling.autoscaler if plan.scaling else None),
        *local_cautions(spec),
        *weights_cautions(plan.stack, plan.weights, plan.model.checkpoint, synced),
        *identity_cautions(plan.weights, request.platform.gke),
    ]
    return tuple(one for one in said if one)


def _several_machines(
    request: Request, candidate: Candidate, ask_again: Callable[[EndpointSpec], Request]
) -> tuple[str, ...]:
    """What several machines for one replica mean, and with what one would do."""
    if candidate.nodes == 1:
        return ()
    said = f"no single machine is enough: a replica is {candidate.nodes}, and when one is lost all start again"
    nearest = nearest_words(request, ask_again, 2)
    return (f"{said}. One would do with {' or '.join(nearest)}",) if nearest else (said,)
