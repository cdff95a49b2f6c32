"""Rules that every rendered object keeps: pure functions, the same in tests, `servestack validate` and Pulumi."""

from infra.policy import (
    compute_class,
    contents,
    exposure,
    jobs,
    namespaces,
    placement,
    scaling,
    secrets,
    security,
    times,
    watching,
    weights,
)
from infra.policy.subject import Rule, Subject, Violation

RULES: tuple[Rule, ...] = (
    *contents.RULES,
    *placement.RULES,
    *compute_class.RULES,
    *scaling.RULES,
    *times.RULES,
    *security.RULES,
    *namespaces.RULES,
    *exposure.RULES,
    *weights.RULES,
    *secrets.RULES,
    *jobs.RULES,
    *watching.RULES,
)


def violations(subject: Subject) -> list[tuple[Rule, Violation]]:
    """Everything that breaks a rule, in the order of the rules."""
    return [(rule, found) for rule in RULES for found in rule.check(subject)]


__all__ = ["RULES", "Rule", "Subject", "Violation", "violations"]
