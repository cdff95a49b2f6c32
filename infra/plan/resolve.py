"""Spec, platform and catalogue in, `ServingPlan` out: the one place where everything about an endpoint is decided."""

from __future__ import annotations

import dataclasses

from infra.catalog.records import Accelerator, Catalog, Checkpoint, Model
from infra.catalog.records import Framework as FrameworkFacts
from infra.plan.capabilities import Capabilities, Trial
from infra.plan.cost import cost
from infra.plan.memory import Fit, arithmetic, charge
from infra.plan.nearest import nearest_fits
from infra.plan.placement import choose_machine, host, zones
from infra.plan.reasons import decisions
from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import (
    AcceleratorChoice,
    Context,
    FrameworkChoice,
    ModelChoice,
    Parallelism,
    Rollout,
    Rung,
    ServingPlan,
)
from infra.plan.timing import timing
from infra.plan.versions import choose_version
from infra.plan.weights import GIB, weights_bytes
from infra.spec import EndpointSpec, PlatformSpec

_DEFAULT_CONTEXT_TOKENS = (32768, 16384, 8192)


def resolve(
    stack: str, spec: EndpointSpec, platform: PlatformSpec, catalog: Catalog, capabilities: Capabilities
) -> ServingPlan:
    """Plan one endpoint whose model, accelerator and framework exist in the catalogue.

    Raises:
        RefusedError: not supported, does not fit, too dear, or not sold like that.
    """
    model = catalog.models[spec.model]
    accelerator = catalog.accelerators[spec.accelerator.type]
    facts = catalog.frameworks[spec.framework]
    version = choose_version(facts, spec.engine.version)
    inputs = _inputs(spec, model, facts)
    precision = spec.precision or capabilities.default_precision
    checkpoint = _checkpoint(model, precision, facts, accelerator)
    size_bytes = weights_bytes(model, checkpoint, inputs)
    if size_bytes is None:
        raise RefusedError(
            ("precision",), f"the size of {checkpoint.repository} is not known yet; use another precision."
        )
    capacity = spec.capacity[0]
    fit = _closest(spec, model, accelerator, capabilities, inputs, size_bytes)
    concurrency = spec.concurrency or 1
    if not fit.fits:
        message = f"does not fit: {arithmetic(fit, concurrency)}. "
        message += _nearest(spec, fit, model, accelerator, facts, capabilities, inputs)
        raise RefusedError(("accelerator",), message)
    weights_gib = size_bytes / GIB
    machine = choose_machine(
        catalog,
        accelerator,
        count=fit.count,
        capacity=capacity,
        host_memory_gib=weights_gib + capabilities.host_overhead_gib,
    )
    times = timing(
        capabilities,
        weights_bytes=size_bytes,
        image_gib=facts.image_gib,
        capacity=capacity,
        timeout_seconds=spec.startupTimeoutSeconds,
    )
    replicas = spec.replicas.max
    choice = AcceleratorChoice(
        type=accelerator.id,
        count=fit.count,
        machine_type=machine.machine_type,
        capacity=capacity,
        gke_label=accelerator.gke_label,
        resource=accelerator.resource,
        zones=zones(accelerator, platform.gke),
    )
    batched = fit.trial.batched_tokens or None
    price = cost(
        catalog,
        machine_type=machine.machine_type,
        capacity=capacity,
        replicas=replicas,
        budget_usd=spec.budgetUsdPerMonth,
    )
    plan = ServingPlan(
        stack=stack,
        platform=spec.platform,
        model=ModelChoice(model.id, checkpoint.repository, checkpoint.revision, checkpoint.format),
        framework=FrameworkChoice(facts.name, version, facts.image.format(version=version)),
        precision=precision,
        inputs=inputs,
        tools=spec.tools,
        reasoning=spec.reasoning,
        accelerator=choice,
        parallelism=Parallelism(fit.trial.tensor, 1),
        context=Context(fit.trial.tokens, batched, concurrency),
        memory=fit.memory,
        host=host(accelerator, machine, weights_gib=weights_gib, image_gib=facts.image_gib),
        timing=times,
        cost=price,
        replicas=replicas,
        ladder=(Rung(capacity, machine.machine_type, fit.count),),
        rollout=_rollout(replicas, times.restart_seconds),
        engine_args=tuple(spec.engine.args),
        labels=tuple(sorted({**platform.labels, **spec.labels}.items())),
        decisions=(),
    )
    proof = arithmetic(fit, concurrency)
    return dataclasses.replace(plan, decisions=decisions(spec, plan, framework=facts.display_name, proof=proof))


def _inputs(spec: EndpointSpec, model: Model, facts: FrameworkFacts) -> tuple[str, ...]:
    wanted = tuple(sorted(set(spec.inputs or ("image", "text"))))
    for index, name in enumerate(spec.inputs or ()):
        if name not in model.inputs:
            raise RefusedError(("inputs", index), f"{model.id} takes no {name}. It takes {', '.join(model.inputs)}.")
        if name not in facts.inputs:
            able = ", ".join(facts.inputs)
            raise RefusedError(("inputs", index), f"{facts.display_name} images take no {name} here. They take {able}.")
    if "text" not in wanted:
        raise RefusedError(("inputs",), "text is always needed; add it.")
    return wanted


def _checkpoint(model: Model, precision: str, facts: FrameworkFacts, accelerator: Accelerator) -> Checkpoint:
    loadable = {one.precision: one for one in model.checkpoints if one.format == facts.format}
    if precision not in loadable or precision not in facts.precisions:
        known = ", ".join(sorted(set(loadable) & set(facts.precisions)))
        raise RefusedError(
            ("precision",),
            f"{facts.display_name} has no {precision} checkpoint of {model.id}. It loads {known}.",
        )
    if precision == "nvfp4" and accelerator.architecture not in facts.nvfp4_architectures:
        raise RefusedError(
            ("precision",),
            f"nvfp4 needs {' or '.join(facts.nvfp4_architectures)}; {accelerator.id} is {accelerator.architecture}.",
        )
    return loadable[precision]


def _nearest(
    spec: EndpointSpec,
    fit: Fit,
    model: Model,
    accelerator: Accelerator,
    facts: FrameworkFacts,
    capabilities: Capabilities,
    inputs: tuple[str, ...],
) -> str:
    def fits(changed: EndpointSpec) -> bool:
        try:
            checkpoint = _checkpoint(model, changed.precision or capabilities.default_precision, facts, accelerator)
            size_bytes = weights_bytes(model, checkpoint, inputs)
            if size_bytes is None:
                return False
            return _closest(changed, model, accelerator, capabilities, inputs, size_bytes).fits
        except RefusedError:
            return False

    return nearest_fits(
        spec,
        fits,
        tokens=fit.trial.tokens,
        counts={machine.accelerators for machine in accelerator.machines},
        precisions=facts.precisions,
        kv_cache_dtypes=capabilities.kv_cache_dtypes,
    )


def _closest(
    spec: EndpointSpec,
    model: Model,
    accelerator: Accelerator,
    capabilities: Capabilities,
    inputs: tuple[str, ...],
    size_bytes: int,
) -> Fit:
    """First trial that fits: fewest accelerators, then longest context, then most tokens per step; else the closest."""
    if spec.contextLength and spec.contextLength > model.max_context_tokens:
        raise RefusedError(("contextLength",), f"{model.id} reads at most {model.max_context_tokens:,} tokens.")
    dtype = spec.engine.kvCacheDtype or "auto"
    if dtype not in capabilities.kv_cache_dtypes:
        known = " or ".join(capabilities.kv_cache_dtypes)
        raise RefusedError(
            ("engine", "kvCacheDtype"), f"{spec.framework} keeps no {dtype} KV cache here; write {known}."
        )
    concurrency = spec.concurrency or 1
    utilization = spec.engine.gpuMemoryUtilization or capabilities.utilization
    closest: Fit | None = None
    for count in _counts(spec, model, accelerator, capabilities):
        for tokens in (spec.contextLength,) if spec.contextLength else _DEFAULT_CONTEXT_TOKENS:
            for batched in _batched_tokens(spec, model, accelerator, capabilities, inputs):
                trial = Trial(tokens, count, batched, 1 if dtype == "fp8" else 2)
                fit = charge(
                    capabilities,
                    model,
                    accelerator,
                    trial,
                    weights_bytes=size_bytes,
                    concurrency=concurrency,
                    utilization=utilization,
                )
                if fit.fits:
                    return fit
                closest = fit if closest is None or _lack(fit) < _lack(closest) else closest
    assert closest is not None
    return closest


def _counts(spec: EndpointSpec, model: Model, accelerator: Accelerator, capabilities: Capabilities) -> list[int]:
    limit = capabilities.max_tensor(model)
    asked = spec.engine.tensorParallelSize
    count = spec.accelerator.count or asked
    if asked and spec.accelerator.count and asked != spec.accelerator.count:
        message = f"{spec.accelerator.count} accelerators but a tensor parallel size of {asked}: one would be idle."
        raise RefusedError(("engine", "tensorParallelSize"), f"{message} Make them equal.")
    if count:
        if count > limit or model.query_heads % count:
            sizes = [size for size in range(1, limit + 1) if model.query_heads % size == 0]
            raise RefusedError(
                ("accelerator", "count"),
                f"{spec.framework} cannot split {model.id} over {count}. It splits over {', '.join(map(str, sizes))}.",
            )
        return [count]
    sold = sorted({machine.accelerators for machine in accelerator.machines})
    usable = [size for size in sold if size <= limit and model.query_heads % size == 0]
    if not usable:
        raise RefusedError(
            ("accelerator",),
            f"machines carry at least {sold[0]} x {accelerator.id}, and {spec.framework} splits {model.id} over at "
            f"most {limit}.",
        )
    return usable


def _batched_tokens(
    spec: EndpointSpec, model: Model, accelerator: Accelerator, capabilities: Capabilities, inputs: tuple[str, ...]
) -> tuple[int, ...]:
    asked, concurrency = spec.engine.maxNumBatchedTokens, spec.concurrency or 1
    field = ("engine", "maxNumBatchedTokens")
    offered = capabilities.batched_tokens(model, accelerator, inputs)
    if asked is None:
        return tuple(size for size in offered if not size or size >= concurrency)
    if not any(offered):
        raise RefusedError(field, f"the step of {spec.framework} is fixed; leave it out.")
    floor = capabilities.batched_tokens_floor(model, inputs)
    if asked < floor:
        raise RefusedError(
            field,
            f"{asked} is below {floor}: {model.id} reads one whole image or video per step, and vLLM fails to start.",
        )
    if asked < concurrency:
        raise RefusedError(field, f"{asked} is below concurrency ({concurrency}): each request needs a token per step.")
    return (asked,)


def _lack(fit: Fit) -> float:
    return fit.memory.need_gib - fit.memory.have_gib


def _rollout(replicas: int, restart_seconds: int) -> Rollout:
    if replicas == 1:
        return Rollout("replace", f"about {restart_seconds} s: the old pod must free its accelerators first")
    return Rollout("one-at-a-time", f"none, with {replicas - 1} of {replicas} replicas answering")
