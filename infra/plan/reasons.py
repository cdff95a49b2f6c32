"""Why each value of a plan is what it is: one `Decision` per value, for `--explain` and for reviewers."""

from __future__ import annotations

from infra.plan.exposure import exposure_rows
from infra.plan.identity import identity_rows
from infra.plan.pools import pool_rows
from infra.plan.proof import arithmetic
from infra.plan.quantities import Timing
from infra.plan.registry import way
from infra.plan.request import Request
from infra.plan.rollout import rollout_reasons
from infra.plan.scaling import scaling_rows
from infra.plan.search import Choice
from infra.plan.serving_plan import Decision, ServingPlan
from infra.plan.slices import slice_rows
from infra.plan.synced_secrets import synced_rows
from infra.plan.weights_source import weights_rows
from infra.spec import EndpointSpec

_Row = tuple[str, object, object, str, str]


def decisions(request: Request, plan: ServingPlan, choice: Choice, dearer: str) -> tuple[Decision, ...]:
    """Decisions in reading order.

    Args:
        request: what was asked.
        plan: the plan, its decisions still empty.
        choice: what was chosen.
        dearer: what the best precision would have taken, "" where it was chosen or asked for.
    """
    spec = request.spec
    asked = spec.scaling
    rows = [
        *_engine(request, plan, dearer),
        *_accelerator(spec, plan, choice),
        *_machine(spec, plan),
        *scaling_rows(
            plan.scaling, asked_target=asked.target if asked else None, asked_hours=bool(asked and asked.schedule)
        ),
        *synced_rows(plan.synced_secrets),
        *identity_rows(plan.stack, plan.weights, plan.grants, request.platform.gke),
    ]
    return tuple(
        Decision(field, str(value), "stack", "said in the stack file")
        if asked is not None
        else Decision(field, str(value), origin, reason)
        for field, value, asked, origin, reason in rows
    )


def _engine(request: Request, plan: ServingPlan, dearer: str) -> list[_Row]:
    spec, engine, context, name = request.spec, request.spec.engine, plan.context, request.framework.display_name
    step_asked = engine.maxNumBatchedTokens or engine.microBatchTokens
    precision = f"best of {name} at the lowest price that fits{f'; {dearer}' if dearer else ''}"
    step = "largest step that leaves room for the guaranteed requests"
    if context.max_num_batched_tokens is None:
        step = f"fixed by {name}"
    return [
        (
            "framework.image",
            plan.framework.image or "none",
            engine.image or engine.version,
            "catalogue",
            f"newest version known to serve Gemma 4{way(plan.framework.image)}",
        ),
        ("precision", plan.precision, spec.precision, "derived", precision),
        (
            "model.checkpoint",
            plan.model.checkpoint,
            spec.weights.checkpoint,
            "catalogue",
            f"{plan.precision} weights of {plan.model.id} for {name}",
        ),
        *weights_rows(spec, plan.weights),
        ("inputs", ", ".join(plan.inputs), spec.inputs, "derived", "image and text unless the stack says otherwise"),
        (
            "adapters",
            ", ".join(one.name for one in plan.adapters) or "none",
            spec.adapters or None,
            "derived",
            "not asked for",
        ),
        ("mediaDomains", *_media(request, plan)),
        ("context.maxModelLen", context.max_model_len, spec.contextLength, "derived", "longest default that fits"),
        ("context.concurrency", context.concurrency, spec.concurrency, "derived", "requests guaranteed at once"),
        (
            "context.maxNumBatchedTokens",
            context.max_num_batched_tokens or "engine default",
            step_asked,
            "derived",
            step,
        ),
        *(
            (f"settings.{name}", value, None, "derived", "follows from concurrency, context and step; proved with it")
            for name, value in plan.settings
        ),
    ]


def _media(request: Request, plan: ServingPlan) -> tuple[object, object, str, str]:
    """From where the engine may fetch what requests name by address."""
    asked = request.spec.media.domains
    if plan.inputs == ("text",):
        return "none", None, "derived", "requests hold text alone"
    if request.capabilities.limits_media:
        why = "a request must not make the engine call other hosts; data: addresses work"
        return ", ".join(plan.media_domains) or "none", asked or None, "derived", why
    if request.capabilities.fetches_media:
        return "any", None, "catalogue", f"{request.framework.display_name} has no switch for it"
    return (
        "not decided",
        None,
        "catalogue",
        f"{request.framework.display_name}: see the cautions",
    )


def _accelerator(spec: EndpointSpec, plan: ServingPlan, choice: Choice) -> list[_Row]:
    accelerator, memory, engine = plan.accelerator, plan.memory, spec.engine
    count = spec.on.count
    parallel = plan.parallelism
    own = accelerator.capacity == "own"
    origin = "platform" if own else "derived"
    cheapest = "the platform's own machine" if own else "cheapest machine that fits"
    lowest = cheapest if own else "lowest price; at equal price the capacity that is interrupted least"
    asked = (engine.tensorParallelSize, engine.pipelineParallelSize, engine.dataParallelSize)
    sizes = (parallel.tensor, parallel.pipeline, parallel.data)
    split = any(asked) and all(size == 1 or size == one for size, one in zip(sizes, asked, strict=True))
    enough = f", with enough host memory ({plan.host.need_gib:.1f} GiB)" if plan.host.need_gib else ""
    placed = [
        ("accelerator.nodeLabels", ", ".join(map("=".join, accelerator.node_labels)), None, "platform", "of such nodes")
    ]
    return [
        *(placed if accelerator.node_labels else []),
        ("accelerator.count", accelerator.count, count, "derived", f"{cheapest}: {arithmetic(choice.fit)}"),
        (
            "accelerator.nodes",
            accelerator.nodes,
            None,
            "derived",
            "one machine is enough" if accelerator.nodes == 1 else "no single machine is enough: stages of layers",
        ),
        (
            "parallelism",
            f"tensor {parallel.tensor} x pipeline {parallel.pipeline} x data {parallel.data}",
            split or None,
            "derived",
            "every accelerator takes part; layers are split before copies are made",
        ),
        (
            "memory.utilization",
            f"{memory.utilization:g}",
            engine.gpuMemoryUtilization,
            "derived",
            "share that the engine fills; the rest is the driver's",
        ),
        (
            "memory.uncertaintyGiB",
            f"{memory.uncertainty_gib:.2f}",
            None,
            "derived",
            "kept free: not known exactly",
        ),
        ("memory.kvCacheDtype", memory.kv_cache_dtype, engine.kvCacheDtype, "derived", "no loss of precision"),
        (
            "accelerator.capacity",
            accelerator.capacity,
            spec.capacity,
            origin,
            lowest,
        ),
        (
            "accelerator.machineType",
            accelerator.machine_type,
            None,
            origin,
            f"{cheapest}{enough}",
        ),
        (
            "accelerator.zones",
            ", ".join(accelerator.zones) or ("none" if own else "the cluster's"),
            None,
            "platform",
            "zones of the platform that offer the accelerator",
        ),
        *slice_rows(plan.accelerator),
    ]


def _machine(spec: EndpointSpec, plan: ServingPlan) -> list[_Row]:
    host, timing, cost = plan.host, plan.timing, plan.cost
    replicas = spec.replicas if "replicas" in spec.model_fields_set else None
    spot = plan.accelerator.capacity == "spot"
    drain = "what GKE's Spot notice leaves" if spot else "time for running answers after the stop signal"
    left = "what GKE and its DaemonSets leave of the machine"
    if plan.accelerator.node_labels:
        left = "share of a node that goes with the accelerators, without what the system takes"
    elif plan.accelerator.capacity == "own":
        left = "share of the machine that a service may take beside the system"
    open_to_all, why = plan.access.authentication == "none", plan.access.why
    disk = "the machine's local SSDs hold image and weights" if host.local_ssds else "smallest for image and weights"
    return [
        ("replicas", plan.replicas, replicas, "derived", "one unless the stack says otherwise"),
        ("host.memoryGiB", host.memory_gib, None, "derived", left),
        ("host.bootDiskGb", host.boot_disk_gb, spec.nodePool.bootDiskGb, "derived", disk),
        ("host.localSsds", host.local_ssds, spec.nodePool.localSsds, "derived", "those that the machine brings"),
        (
            "timing.startupSeconds",
            timing.startup_seconds,
            None,
            "derived",
            "estimate: machine, image, download, loading, engine start",
        ),
        (
            "timing.timeoutSeconds",
            timing.timeout_seconds,
            spec.startupTimeoutSeconds,
            "derived",
            "twice the estimate, to the full minute",
        ),
        (
            "timing.drainSeconds",
            timing.drain_seconds,
            spec.longestAnswerSeconds if not spot else None,
            "derived",
            drain,
        ),
        ("timing.firstToken", timing.first_token_text, None, "derived", _first_token_basis(timing)),
        (
            "cost.hourlyUsd",
            "unknown" if cost.hourly_usd is None else f"{cost.hourly_usd:g}",
            None,
            "catalogue",
            cost.basis,
        ),
        *rollout_reasons(plan.rollout, own_nodes=bool(plan.accelerator.node_labels)),
        *pool_rows(plan.node_pools, spec.nodePool),
        ("access.authentication", plan.access.authentication, None, "stack" if open_to_all else "derived", why),
        *(
            (
                "access.secret",
                secret,
                secret if spec.expose.keySecret == secret else None,
                "derived",
                "the stack's name, in its own namespace",
            )
            for secret in (plan.access.secret,)
            if secret
        ),
        *(
            (
                f"credentials.{field}",
                secret,
                secret if said == secret else None,
                "derived",
                "filled from Secret Manager",
            )
            for field, secret, said in (
                ("registrySecret", plan.credentials.registry_secret, spec.engine.registrySecret),
                ("apiKeySecret", plan.credentials.api_key_secret, spec.engine.apiKeySecret),
            )
            if secret
        ),
        ("access.proxyImage", plan.access.proxy_image, None, "catalogue", "the proxy that the tests run as rendered"),
        ("watch.kind", plan.watch.kind, None, plan.watch.origin, plan.watch.why),
        *exposure_rows(spec.expose, plan.exposure),
    ]


def _first_token_basis(timing: Timing) -> str:
    first = timing.first_token
    return first.basis if first else "nothing is told where a rate would be guessed"
