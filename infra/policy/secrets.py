"""Secrets that GKE fills: by reference alone, from what the plan names, into what the plan names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from infra.policy.subject import Object, Rule, Subject, Violation, name_of, violation

_VERSION = re.compile(
    r"projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/secrets/[A-Za-z0-9_-]{1,255}/versions/(latest|[1-9][0-9]*)"
)
_CLASS_FIELDS, _OBJECT_FIELDS = {"provider", "parameters"}, {"type", "data"}


def _by_reference(subject: Subject) -> Iterator[Violation]:
    classes: dict[str, set[str]] = {}
    for one in subject.of_kind("SecretProviderClass"):
        spec = one.get("spec") or {}
        for field in sorted(spec.keys() - _CLASS_FIELDS):
            yield violation(one, f"spec.{field}", "must be absent: a SecretSync makes the Secret")
        if spec.get("provider") != "gke":
            yield violation(one, "spec.provider", "must be gke, which reads Secret Manager")
        entries = _entries(spec.get("parameters"))
        if entries is None:
            yield violation(one, "spec.parameters", "must be a list of resourceName and path, and nothing else")
            entries = []
        classes[name_of(one)] = {path for _, path in entries}
        planned = _planned(subject, name_of(one))
        for index, (resource, _) in enumerate(entries):
            where = f"spec.parameters.secrets[{index}].resourceName"
            if not _VERSION.fullmatch(resource):
                yield violation(one, where, "must be a version of a secret of Secret Manager")
            elif planned is not None and resource not in planned:
                yield violation(one, where, "is no secret of the plan")
    for one in subject.of_kind("SecretSync"):
        yield from _sync(one, classes)


def _sync(one: Object, classes: dict[str, set[str]]) -> Iterator[Violation]:
    spec = one.get("spec") or {}
    made = spec.get("secretObject") or {}
    for field in sorted(made.keys() - _OBJECT_FIELDS):
        yield violation(one, f"spec.secretObject.{field}", "must be absent: the Secret holds what is synchronized")
    paths = classes.get(str(spec.get("secretProviderClassName")))
    if paths is None:
        yield violation(one, "spec.secretProviderClassName", "must be a class that is made with it")
    for index, entry in enumerate(made.get("data") or []):
        where = f"spec.secretObject.data[{index}]"
        if set(entry) != {"sourcePath", "targetKey"}:
            yield violation(one, where, "must be a sourcePath and a targetKey, and no value")
        elif paths is not None and entry["sourcePath"] not in paths:
            yield violation(one, f"{where}.sourcePath", "is no path of its class")


def _entries(parameters: Any) -> list[tuple[str, str]] | None:
    """Resource and path of every secret; None where the parameters hold anything else."""
    if not isinstance(parameters, dict) or set(parameters) != {"secrets"}:
        return None
    try:
        found = yaml.safe_load(str(parameters["secrets"]))
    except yaml.YAMLError:
        return None
    if not isinstance(found, list) or not found:
        return None
    if not all(isinstance(one, dict) and set(one) == {"resourceName", "path"} for one in found):
        return None
    return [(str(one["resourceName"]), str(one["path"])) for one in found]


def _planned(subject: Subject, name: str) -> set[str] | None:
    """Versions that the plan has for one Secret; None without a plan."""
    if subject.plan is None:
        return None
    return {key.resource for one in subject.plan.synced_secrets if one.name == name for key in one.keys}


RULES = (
    Rule(
        "secret-synced",
        "A Secret that GKE fills holds what the plan names in Secret Manager, by reference, and nothing else.",
        "critical",
        True,
        _by_reference,
    ),
)
