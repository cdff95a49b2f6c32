"""Why each value of a job's plan is what it is, and what to know before paying for it."""

from __future__ import annotations

from infra.plan.identity import Grant
from infra.plan.job.job_plan import JobPlan
from infra.plan.serving_plan import Decision
from infra.spec import EndpointSpec

_SAID = "said in the stack file"
_Row = tuple[str, object, bool, str, str]


def job_decisions(spec: EndpointSpec, plan: JobPlan) -> tuple[Decision, ...]:
    """Decisions in reading order."""
    job = spec.job
    assert job is not None
    said, work, ending = job.model_fields_set, plan.work, plan.ending
    rows: list[_Row] = [
        ("job.mode", work.mode, True, "stack", ""),
        ("image", plan.framework.image, True, "stack", ""),
        ("preset", plan.work.preset, False, "catalogue", _preset(plan)),
        ("precision", plan.precision, False, "catalogue", "the number format of keras-hub's presets"),
        (
            "machine",
            plan.accelerator.machine_type,
            False,
            "derived",
            "the cheapest with one accelerator and room to load",
        ),
        (
            "capacity",
            plan.accelerator.capacity,
            spec.capacity is not None,
            "derived",
            "a job goes on after its machine was taken away, so that the cheapest comes first",
        ),
        *_numbers(plan, said),
        ("job.pods", work.pods, "pods" in said, "derived", "one, where nothing is asked"),
        ("job.parallel", work.parallel, "parallel" in said, "derived", "all at once"),
        (
            "job.retries",
            ending.retries,
            "retries" in said,
            "derived",
            "of each pod; the end of its machine does not count",
        ),
        (
            "job.deadlineSeconds",
            ending.deadline_seconds,
            "deadlineSeconds" in said,
            "derived",
            "a day; it bounds the cost",
        ),
        ("graceSeconds", ending.grace_seconds, False, "derived", _grace(plan)),
        ("job.saveSeconds", work.save_seconds, "saveSeconds" in said, "derived", "what a kill without notice may lose"),
        *((_grant(plan, one)) for one in plan.grants),
    ]
    return tuple(
        Decision(field, str(value), "stack", _SAID) if asked else Decision(field, str(value), origin, reason)
        for field, value, asked, origin, reason in rows
    )


def _numbers(plan: JobPlan, said: set[str]) -> list[_Row]:
    work = plan.work
    rows: list[_Row] = [
        (
            "job.sequenceLength",
            work.sequence_length,
            "sequenceLength" in said,
            "derived",
            "tokens of prompt and answer",
        ),
        ("job.batchSize", work.batch_size, "batchSize" in said, "derived", "what takes least memory"),
        ("job.seed", work.seed, "seed" in said, "derived", "equal runs give equal results"),
    ]
    if work.mode == "generate":
        why = "the likeliest token, so that a result can be made again"
        rows.append(("job.temperature", f"{work.temperature:g}", "temperature" in said, "derived", why))
    if work.mode == "lora":
        rows += [
            ("job.epochs", work.epochs, "epochs" in said, "derived", "one pass, where nothing is asked"),
            ("job.rank", work.rank, "rank" in said, "derived", "a rank that is often used"),
            ("job.learningRate", f"{work.learning_rate:g}", "learningRate" in said, "derived", "often used with Adam"),
        ]
    return rows


def _preset(plan: JobPlan) -> str:
    place = plan.place("preset")
    return f"keras-hub's name for the model, read from {place}" if place else "keras-hub's name for the model"


def _grace(plan: JobPlan) -> str:
    if plan.accelerator.capacity == "spot":
        return "what GKE leaves a pod of the notice of a Spot machine"
    return "to save what is done where a machine is drained"


def _grant(plan: JobPlan, one: Grant) -> _Row:
    return (
        "grants",
        f"{one.role} on {one.thing}",
        False,
        "derived",
        f"service account {plan.stack} of namespace {plan.stack} needs it for its places; it has no other right",
    )


def job_cautions(plan: JobPlan) -> tuple[str, ...]:
    """What to know before paying for it."""
    said = [
        "the memory is computed from what keras-hub allocates and from assumptions (--explain): no run on an "
        "accelerator was measured",
        "how long it takes is not known before it runs: its log says the time left from the second step on",
    ]
    if plan.accelerator.kind == "tpu":
        said.append(
            "on a TPU nothing of this was tried: arrays are padded to its tiles, which is not counted, and the image "
            "needs JAX for TPUs (jax[tpu]) and must run as another user than root"
        )
    if plan.accelerator.capacity == "spot":
        said.append(
            f"a step that takes longer than the {plan.ending.grace_seconds} s of a Spot notice is lost, and what was "
            f"done since the last save with it: at most {plan.work.save_seconds:,} s"
        )
    if plan.place("preset") is None:
        said.append(
            f"the preset {plan.work.preset} is fetched from Kaggle by every pod, without an account, which was not "
            "tried; job.preset names a copy of your own"
        )
    claims = sorted({one.claim for one in plan.places if one.claim})
    if claims and plan.work.parallel > 1:
        said.append(f"{plan.work.parallel} pods mount {', '.join(claims)} at once, which takes a volume that is shared")
    if plan.ending.retries:
        said.append(
            f"its Job stays for {plan.ending.kept_seconds // 86_400} days after its end; deleted by hand, the next up "
            "runs it again, and it finds its result and ends"
        )
    return tuple(said)
