"""What the page of a job says."""

from __future__ import annotations

from infra.page import numbers
from infra.page.series import Part
from infra.page.tables import decisions, memory_terms
from infra.plan.job import JobPlan
from infra.plan.job.job_plan import JobMemory
from infra.website.drawings import memory_chart
from infra.website.subject import Subject, Told, facts


def job_subject(plan: JobPlan) -> Subject:
    """The page of one job."""
    work, one, memory, cost, ending = plan.work, plan.accelerator, plan.memory, plan.cost, plan.ending
    fits = memory.need_gib <= memory.have_gib
    deadline = numbers.duration(ending.deadline_seconds)
    parts = _parts(memory)
    return Subject(
        memory=memory_chart("memory", memory, parts),
        parts=parts,
        under=f"{work.mode} with {plan.model.id} on {one.type}, platform {plan.platform}",
        cautions=plan.cautions,
        told=(
            Told(
                "What is it",
                f"Job: {work.mode}",
                f"{plan.model.id}, {plan.precision}; {numbers.count(work.pods, 'pod')}, {work.parallel} at once, "
                f"each on 1 x {one.type} of {one.machines}, {one.capacity}",
            ),
            Told(
                "Does it fit",
                f"{'Yes' if fits else 'No'}: {memory.need_gib:.2f} of {numbers.gib(memory.have_gib)}",
                f"batches of {work.batch_size} x {work.sequence_length:,} tokens",
                "good" if fits else "bad",
            ),
            Told(
                "What does it cost",
                "Price unknown" if cost.most_usd is None else f"At most ${cost.most_usd:,.2f}, once",
                f"{numbers.hourly(cost.hourly_usd, cost.exact)} an hour while it runs; {cost.basis}",
            ),
            Told("When does it end", f"After {deadline} at most", f"saved every {numbers.duration(work.save_seconds)}"),
        ),
        tables=(
            facts(
                "Job",
                [
                    ("Checkpoint", plan.model.checkpoint),
                    ("Preset", work.preset),
                    *((place.use.capitalize(), str(place)) for place in plan.places),
                    ("Result", plan.result),
                    ("Image", plan.framework.image),
                    ("Retries of a pod", str(ending.retries)),
                    ("Labels", ", ".join(f"{key}: {value}" for key, value in plan.labels)),
                ],
            ),
            decisions(plan.decisions),
            memory_terms(memory.terms),
        ),
    )


def _parts(memory: JobMemory) -> tuple[Part, ...]:
    """Parts of the accelerator in the order of a bar: what is needed first, what is never filled last."""
    uncertain = sum(term.uncertainty_gib for term in memory.terms)
    return (
        Part("weights", "Weights", sum(term.size_gib for term in memory.terms if term.kind == "weights")),
        Part("overhead", "All else", sum(term.size_gib for term in memory.terms if term.kind != "weights")),
        Part("uncertain", "Kept for what is uncertain", uncertain),
        Part("free", "Free", max(0.0, memory.have_gib - memory.need_gib)),
        Part("headroom", "Headroom, never filled", max(0.0, memory.per_accelerator_gib - memory.have_gib)),
    )
