"""A Job ends: after so many tries and so much time, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policy.subject import Object, Rule, Subject, Violation, violation, whole

_LONGEST_SECONDS = 7 * 86_400
_MOST_TRIES = 20


def _ends(subject: Subject) -> Iterator[Violation]:
    for job in subject.of_kind("Job"):
        spec = job.get("spec") or {}
        seconds = whole(spec.get("activeDeadlineSeconds"))
        if not 0 < seconds <= _LONGEST_SECONDS:
            yield violation(job, "spec.activeDeadlineSeconds", f"must be at most {_LONGEST_SECONDS}")
        tries = spec.get("backoffLimitPerIndex", spec.get("backoffLimit"))
        if tries is None or not 0 <= whole(tries) <= _MOST_TRIES:
            yield violation(job, "spec.backoffLimitPerIndex", f"must be at most {_MOST_TRIES}")
        if not _ignores_disruption(spec):
            yield violation(job, "spec.podFailurePolicy", "must ignore DisruptionTarget: a machine's end is no try")
        if ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") != "Never":
            yield violation(job, "spec.template.spec.restartPolicy", "must be Never")


def _ignores_disruption(spec: Object) -> bool:
    rules = (spec.get("podFailurePolicy") or {}).get("rules") or []
    return any(
        rule.get("action") == "Ignore" and condition.get("type") == "DisruptionTarget"
        for rule in rules
        for condition in rule.get("onPodConditions") or []
    )


RULES = (
    Rule(
        "job-ends",
        "A Job has a deadline and few tries, and the end of a machine is no try.",
        "high",
        False,
        _ends,
    ),
)
