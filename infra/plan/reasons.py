"""Why each value of a plan is what it is: one `Decision` per value, for `--explain` and for reviewers."""

from __future__ import annotations

from infra.catalog.records import Checkpoint, Framework
from infra.plan.memory import Fit
from infra.plan.serving_plan import AcceleratorChoice, Cost, Decision
from infra.spec import EndpointSpec


def decisions(
    spec: EndpointSpec,
    facts: Framework,
    checkpoint: Checkpoint,
    accelerator: AcceleratorChoice,
    fit: Fit,
    proof: str,
    price: Cost,
) -> tuple[Decision, ...]:
    """Decisions in reading order."""
    trial = fit.trial
    image = facts.image.format(version=spec.engine.version or facts.default_version)
    rows = (
        ("framework.image", image, spec.engine.version, "catalogue", "newest version known to serve Gemma 4"),
        (
            "model.checkpoint",
            checkpoint.repository,
            spec.precision,
            "catalogue",
            f"{checkpoint.precision} for {facts.display_name}",
        ),
        ("accelerator.count", str(accelerator.count), spec.accelerator.count, "derived", f"fewest that fit: {proof}"),
        (
            "parallelism.tensor",
            str(trial.tensor),
            spec.engine.tensorParallelSize,
            "derived",
            "every accelerator takes part",
        ),
        ("context.maxModelLen", str(trial.tokens), spec.contextLength, "derived", "longest default context that fits"),
        (
            "context.concurrency",
            str(spec.concurrency or 1),
            spec.concurrency,
            "derived",
            "full-length requests guaranteed at once",
        ),
        (
            "context.maxNumBatchedTokens",
            str(trial.batched_tokens or "engine default"),
            spec.engine.maxNumBatchedTokens,
            "derived",
            "largest step that leaves room for the guaranteed requests",
        ),
        (
            "accelerator.capacity",
            accelerator.capacity,
            spec.capacity != ["on-demand"] or None,
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
        (
            "cost.hourlyUsd",
            "unknown" if price.hourly_usd is None else f"{price.hourly_usd:g}",
            None,
            "catalogue",
            price.basis,
        ),
    )
    return tuple(
        Decision(
            field,
            value,
            "stack" if asked is not None else origin,
            "said in the stack file" if asked is not None else reason,
        )
        for field, value, asked, origin, reason in rows
    )
