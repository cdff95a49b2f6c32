"""The rules of `infra.policy` as a Pulumi policy pack: `pulumi preview --policy-pack policies`.

A rule that needs one object is asked as soon as the program registers it; one that compares is asked at the end.
The plan comes from the stack file beside this folder, so that what the program registers is held against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from infra.errors import StackError
from infra.pipeline import Endpoint, build
from infra.plan.serving_plan import ServingPlan
from infra.policy import RULES, Rule, Subject
from infra.stack_folder import StackFolder

STACKS = Path(__file__).parent.parent / "stacks"
NODE_POOL = "gcp:container/nodePool:NodePool"


def policy(rule: Rule) -> Policy:
    """A rule in Pulumi's form."""
    kind: Callable[..., Policy] = StackValidationPolicy if rule.compares else ResourceValidationPolicy
    validate = _whole(rule) if rule.compares else _alone(rule)
    return kind(rule.name, rule.meaning, validate, severity=Severity(rule.severity))


def _alone(rule: Rule) -> Callable[[ResourceValidationArgs, ReportViolation], None]:
    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if is_object(args.resource_type):
            for found in rule.check(Subject([plain(args.props)], (), plan_of(args.urn))):
                report(str(found), None)

    return validate


def _whole(rule: Rule) -> Callable[[StackValidationArgs, ReportViolation], None]:
    def validate(args: StackValidationArgs, report: ReportViolation) -> None:
        objects = [plain(one.props, known_only=True) for one in args.resources if is_object(one.resource_type)]
        if not objects:
            return
        pools = [plain(one.props, known_only=True) for one in args.resources if one.resource_type == NODE_POOL]
        plan = plan_of(args.resources[0].urn)
        urns = {
            (str(one.props["kind"]), str(one.props["metadata"]["name"])): one.urn
            for one in args.resources
            if is_object(one.resource_type)
        }
        for found in rule.check(Subject(objects, tuple(pools), plan)):
            report(str(found), urns.get((found.kind, found.name)))

    return validate


def is_object(resource_type: str) -> bool:
    """Whether a resource is a Kubernetes object; its provider is none."""
    return resource_type.startswith("kubernetes:")


@cache
def plan_of(urn: str) -> ServingPlan | None:
    """Plan of the stack that a resource belongs to; None for a platform, or a stack that no file describes."""
    stack = urn.split("::")[0].removeprefix("urn:pulumi:")
    try:
        built = build(stack, StackFolder(STACKS))
    except StackError:
        return None
    return built.plan if isinstance(built, Endpoint) else None


def plain(value: Any, *, known_only: bool = False) -> Any:
    """Inputs as ordinary data.

    Args:
        value: as the engine gives them.
        known_only: leave out what is not known in a preview; else the engine says that the rule must wait for `up`.
    """
    if isinstance(value, Mapping):
        found = {}
        for key in value:
            try:
                found[key] = plain(value[key], known_only=known_only)
            except UnknownValueError:
                if not known_only:
                    raise
        return found
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(value[index], known_only=known_only) for index in range(len(value))]
    return value


if __name__ == "__main__":
    PolicyPack("servestack", [policy(rule) for rule in RULES], EnforcementLevel.MANDATORY)
