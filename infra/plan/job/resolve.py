"""Spec, platform and catalogue in, `JobPlan` out."""

from __future__ import annotations

import dataclasses

from infra.catalog.records import Accelerator, Catalog, Checkpoint, Framework, Model
from infra.lock import NO_LOCK, Lock, Use, image_uses
from infra.plan.demand import GIB
from infra.plan.job.job_plan import Ending, JobPlan, Work
from infra.plan.job.machine import host_need_gib, job_cost, job_machine
from infra.plan.job.memory import job_memory, job_terms
from infra.plan.job.needs import refuse_lacking_job
from infra.plan.job.places import job_grants, places_of
from infra.plan.job.proof import does_not_fit
from infra.plan.job.reasons import job_cautions, job_decisions
from infra.plan.locked import locked
from infra.plan.node_pools import REBUILT_BY, NodePool, NodePools
from infra.plan.placement import host, zones
from infra.plan.pool_options import is_in_artifact_registry
from infra.plan.refusal import RefusedError
from infra.plan.registry import pulled_from
from infra.plan.serving_plan import AcceleratorChoice, FrameworkChoice, ModelChoice
from infra.plan.slices import slice_topology
from infra.plan.timing import SPOT_NOTICE_SECONDS
from infra.plan.weights import weights_bytes
from infra.spec import EndpointSpec, Gke, PlatformSpec

_KINDS = ("gpu", "tpu")
_GRACE_SECONDS = 120
_KEPT_SECONDS = 604_800
_IMAGE_GIB = 8  # assumed: a CUDA image with keras-hub and its backend
_MOVE = "none: pods go on from what they saved"


def resolve_job(
    stack: str, spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog, lock: Lock = NO_LOCK
) -> JobPlan:
    """Plan one job whose model, accelerator and framework exist in the catalogue; the lock fixes its image.

    Raises:
        RefusedError: not supported, does not fit, too dear, or not sold like that.
    """
    assert spec.job is not None
    job, facts, model = spec.job, catalog.frameworks[spec.framework], catalog.models[spec.model]
    gke, accelerator = _where(spec, platform), catalog.accelerators[spec.on.type]
    image = _check(spec, facts, model, accelerator)
    checkpoint = _preset(facts, model)
    size = weights_bytes(model, checkpoint)
    assert size is not None
    terms = job_terms(model, checkpoint, job)
    assert accelerator.memory_gib is not None
    memory = job_memory(terms, accelerator.memory_gib)
    if memory.need_gib > memory.have_gib:
        raise does_not_fit(spec, model, checkpoint, memory, catalog)
    machine, capacity = job_machine(spec, accelerator, catalog, size / GIB)
    parallel = min(job.parallel or job.pods, job.pods)
    cost = job_cost(catalog, machine, capacity, job, parallel)
    disks = host(
        accelerator, machine, weights_gib=size / GIB, image_gib=_IMAGE_GIB, need_gib=float(host_need_gib(size / GIB))
    )
    places = places_of(job)
    pulled = pulled_from(lock.image(image), gke)
    pool = NodePool(
        name="",
        capacity=capacity.kind,
        reservation=capacity.reservation,
        machine_type=machine.machine_type,
        gke_label=accelerator.gke_label or "",
        accelerators=1,
        boot_disk_type=disks.boot_disk_type,
        boot_disk_gb=disks.boot_disk_gb,
        local_ssds=disks.local_ssds,
    )
    plan = JobPlan(
        stack=stack,
        platform=spec.platform,
        model=ModelChoice(
            id=model.id,
            checkpoint=checkpoint.repository,
            revision=None,
            format=checkpoint.format,
            drafter=None,
            draft_tokens=None,
            licence=checkpoint.licence,
            gated=checkpoint.gated,
        ),
        framework=FrameworkChoice(facts.name, facts.default_version or "", pulled),
        precision=checkpoint.precision,
        accelerator=AcceleratorChoice(
            type=accelerator.id,
            kind=accelerator.kind,
            count=1,
            nodes=1,
            machine_type=machine.machine_type,
            capacity=capacity.kind,
            reservation=capacity.reservation,
            gke_label=accelerator.gke_label or "",
            resource=accelerator.resource or "",
            zones=zones(accelerator, gke),
            topology=slice_topology(accelerator, machine),
        ),
        memory=memory,
        host=disks,
        work=Work(
            mode=job.mode,
            preset=checkpoint.repository,
            sequence_length=job.sequenceLength,
            batch_size=job.batchSize,
            seed=job.seed,
            temperature=job.temperature,
            epochs=job.epochs,
            rank=job.rank,
            learning_rate=job.learningRate,
            pods=job.pods,
            parallel=parallel,
            save_seconds=job.saveSeconds,
        ),
        places=places,
        ending=Ending(
            retries=job.retries,
            deadline_seconds=job.deadlineSeconds,
            grace_seconds=SPOT_NOTICE_SECONDS if capacity.kind == "spot" else _GRACE_SECONDS,
            kept_seconds=_KEPT_SECONDS,
        ),
        cost=cost,
        node_pools=NodePools(
            kind="pools",
            compute_class="",
            pools=(pool,),
            driver_version="default" if accelerator.kind == "gpu" else "",
            image_streaming=is_in_artifact_registry(pulled),
            max_run_seconds=None,
            rebuilt_by=REBUILT_BY,
            move=_MOVE,
            move_seconds=0,
        ),
        grants=job_grants(places),
        labels=tuple(sorted({**platform.labels, **spec.labels}.items())),
        decisions=(),
        cautions=(),
    )
    refuse_lacking_job(plan, platform)
    decided = locked(job_decisions(spec, plan), job_uses(spec, lock))
    return dataclasses.replace(plan, decisions=decided, cautions=job_cautions(plan))


def job_uses(spec: EndpointSpec, lock: Lock) -> tuple[Use, ...]:
    """What moves of a job: its image. Its preset is Kaggle's, not the hub's."""
    return image_uses([spec.engine.image or ""], lock)


def _where(spec: EndpointSpec, platform: PlatformSpec) -> Gke:
    gke = platform.gke
    if gke is None or gke.cluster.mode == "autopilot":
        raise RefusedError(
            ("platform",),
            f"this version runs jobs in a node pool of their own on Standard clusters of GKE, and platform "
            f"{spec.platform} has none; name a platform with gke and cluster mode standard.",
        )
    return gke


def _check(spec: EndpointSpec, facts: Framework, model: Model, accelerator: Accelerator) -> str:
    """Refuse what is not known to run; the image otherwise."""
    if not dict(facts.inputs_by_size).get(model.size):
        sizes = ", ".join(size for size, _ in facts.inputs_by_size)
        raise RefusedError(("model",), f"{facts.display_name} has no preset of {model.id}. It has {sizes}.")
    if model.experts:
        raise RefusedError(
            ("model",),
            f"how {facts.display_name} computes the experts of {model.id} was not measured, so that nothing can be "
            "proved; use gemma-4-e2b, gemma-4-e4b or gemma-4-31b.",
        )
    known = accelerator.kind in _KINDS and accelerator.architecture in facts.architectures
    if not known or accelerator.boot_disk_type is None:
        raise RefusedError(
            ("accelerator",),
            f"jobs of {facts.display_name} are planned on GPUs and TPUs with one accelerator per pod; what they "
            f"take of {accelerator.display_name} is not known. Use l4, a100-80gb, h100, rtxpro6000 or tpu-v6e.",
        )
    if spec.on.count not in {None, 1}:
        raise RefusedError(("accelerator", "count"), "a pod of a job has one accelerator; write job.pods for more.")
    if accelerator.host_architecture != "amd64" or accelerator.memory_gib is None:
        raise RefusedError(("accelerator",), f"memory or image of {accelerator.display_name} is not known.")
    if spec.engine.image is None:
        raise RefusedError(
            ("engine",),
            f"no published image of {facts.display_name} is known, and nothing is installed while a job starts. Build "
            "one with keras-hub and a backend for the accelerator (docs/keras.md), and name it: engine: {image: ...}.",
        )
    return spec.engine.image


def _preset(facts: Framework, model: Model) -> Checkpoint:
    return next(one for one in model.checkpoints if facts.name in one.frameworks)
