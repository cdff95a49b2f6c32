"""Workload and templates in, Kubernetes objects out. No decisions: a template holds structure, the workload values."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from infra.frameworks.base import KubernetesWorkload

TEMPLATES = Path(__file__).resolve().parent.parent / "manifests" / "templates"
# In the order in which objects are made: what others need first.
KINDS = (
    "namespace",
    "serviceaccount",
    "networkpolicy",
    "configmap",
    "deployment",
    "service",
    "poddisruptionbudget",
)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def render(workload: KubernetesWorkload) -> list[dict[str, Any]]:
    """Objects of one endpoint, in the order of `KINDS`, as plain data."""
    values = {"workload": workload, "plan": workload.plan, "name": workload.plan.stack, "labels": labels(workload)}
    return [yaml.load(_template(kind).render(values), Loader=_Loader) for kind in KINDS]


def labels(workload: KubernetesWorkload) -> dict[str, str]:
    """Recommended labels of every object, and the platform's and stack's own under `servestack.dev/`."""
    plan = workload.plan
    own = {f"servestack.dev/{key}": value for key, value in plan.labels}
    return {
        "app.kubernetes.io/name": plan.framework.name,
        "app.kubernetes.io/instance": plan.stack,
        "app.kubernetes.io/version": plan.framework.version,
        "app.kubernetes.io/component": "inference-server",
        "app.kubernetes.io/part-of": plan.model.id,
        "app.kubernetes.io/managed-by": "servestack",
        **own,
    }


def manifest(objects: list[dict[str, Any]]) -> str:
    """Objects as one YAML stream, keys sorted, for files and reviewers."""
    return yaml.safe_dump_all(objects, sort_keys=True, explicit_start=True, width=110, allow_unicode=True)


def _tojson(value: Any) -> str:
    """JSON is YAML, so any value written so stays one value: nothing in it can end a string or open a key.

    Beyond ASCII it is YAML's own escape, because JSON writes U+10000 and above as two halves that YAML refuses.
    """
    return "".join(map(_escaped, json.dumps(value, ensure_ascii=False)))


def _escaped(character: str) -> str:
    code = ord(character)
    if code < 0x7F:
        return character
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tojson"] = _tojson
    return environment


def _template(kind: str) -> Any:
    return _environment().get_template(f"{kind}.yaml.j2")
