"""Why each value of a plan is what it is: one `Decision` per value, for `--explain` and for reviewers."""

from __future__ import annotations

from infra.plan.serving_plan import Decision, ServingPlan
from infra.spec import EndpointSpec

_Row = tuple[str, object, object, str, str]


def decisions(spec: EndpointSpec, plan: ServingPlan, *, framework: str, proof: str) -> tuple[Decision, ...]:
    """Decisions in reading order.

    Args:
        spec: what the stack file says.
        plan: the plan, its decisions still empty.
        framework: the framework's name as people write it.
        proof: the memory proof as a sentence.
    """
    rows = [*_engine(spec, plan, framework), *_accelerator(spec, plan, proof), *_machine(spec, plan)]
    return tuple(
        Decision(field, str(value), "stack", "said in the stack file")
        if asked is not None
        else Decision(field, str(value), origin, reason)
        for field, value, asked, origin, reason in rows
    )


def _engine(spec: EndpointSpec, plan: ServingPlan, framework: str) -> list[_Row]:
    engine, context = spec.engine, plan.context
    newest = "newest version known to serve Gemma 4"
    checkpoint = f"{plan.precision} for {framework}"
    step = "largest step that leaves room for the guaranteed requests"
    if context.max_num_batched_tokens is None:
        step = f"fixed by {framework}"
    return [
        ("framework.image", plan.framework.image, engine.version, "catalogue", newest),
        ("precision", plan.precision, spec.precision, "derived", f"default of {framework}"),
        ("model.checkpoint", plan.model.checkpoint, spec.precision, "catalogue", checkpoint),
        ("inputs", ", ".join(plan.inputs), spec.inputs, "derived", "image and text unless the stack says otherwise"),
        ("context.maxModelLen", context.max_model_len, spec.contextLength, "derived", "longest default that fits"),
        ("context.concurrency", context.concurrency, spec.concurrency, "derived", "requests guaranteed at once"),
        (
            "context.maxNumBatchedTokens",
            context.max_num_batched_tokens or "engine default",
            engine.maxNumBatchedTokens,
            "derived",
            step,
        ),
    ]


def _accelerator(spec: EndpointSpec, plan: ServingPlan, proof: str) -> list[_Row]:
    accelerator, memory, engine = plan.accelerator, plan.memory, spec.engine
    count = spec.accelerator.count or engine.tensorParallelSize
    capacity = spec.capacity if "capacity" in spec.model_fields_set else None
    return [
        ("accelerator.count", accelerator.count, count, "derived", f"fewest that fit: {proof}"),
        (
            "parallelism.tensor",
            plan.parallelism.tensor,
            engine.tensorParallelSize,
            "derived",
            "every accelerator takes part",
        ),
        (
            "memory.utilization",
            f"{memory.utilization:g}",
            engine.gpuMemoryUtilization,
            "derived",
            "share that the engine fills; the rest is the driver's",
        ),
        ("memory.kvCacheDtype", memory.kv_cache_dtype, engine.kvCacheDtype, "derived", "no loss of precision"),
        (
            "accelerator.capacity",
            accelerator.capacity,
            capacity,
            "derived",
            "on-demand unless the stack says otherwise",
        ),
        (
            "accelerator.machineType",
            accelerator.machine_type,
            None,
            "derived",
            "cheapest machine with enough host memory",
        ),
        (
            "accelerator.zones",
            ", ".join(accelerator.zones),
            None,
            "platform",
            "zones of the platform that offer the accelerator",
        ),
    ]


def _machine(spec: EndpointSpec, plan: ServingPlan) -> list[_Row]:
    host, timing, cost = plan.host, plan.timing, plan.cost
    replicas = spec.replicas if "replicas" in spec.model_fields_set else None
    spot = plan.accelerator.capacity == "spot"
    drain = "what GKE's Spot notice leaves" if spot else "time for running answers after the stop signal"
    disk = "the machine's local SSDs hold image and weights" if host.local_ssds else "smallest for image and weights"
    return [
        ("replicas", plan.replicas, replicas, "derived", "one unless the stack says otherwise"),
        ("host.memoryGiB", host.memory_gib, None, "derived", "what GKE and its DaemonSets leave of the machine"),
        ("host.bootDiskGb", host.boot_disk_gb, None, "derived", disk),
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
        ("timing.drainSeconds", timing.drain_seconds, None, "derived", drain),
        (
            "cost.hourlyUsd",
            "unknown" if cost.hourly_usd is None else f"{cost.hourly_usd:g}",
            None,
            "catalogue",
            cost.basis,
        ),
        (
            "rollout.strategy",
            plan.rollout.strategy,
            None,
            "derived",
            "the pool has accelerators for the replicas alone",
        ),
    ]
