"""Workload and templates in, Kubernetes objects out. No decisions: a template holds structure, the workload values.

A template's text never holds a value: `tojson` leaves a numbered hole, the text is read as YAML, and the values are
put into the holes. So nothing in a value can end a string or open a key, and endpoints of one shape share the reading.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from infra.frameworks.base import KubernetesWorkload
from infra.frameworks.callers import CallerWorkload
from infra.frameworks.job import JobWorkload
from infra.objects import JOB_OBJECTS, rendered, rendered_for_callers
from infra.toolkit import INSTALLED, MANIFESTS, toolkit

TEMPLATES, JOBS = f"{MANIFESTS}/templates", f"{MANIFESTS}/jobs"
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# The same text as the slower one for every value of plain ASCII, and a stack file's values are.
_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_VALUES = "_values"


def render(workload: KubernetesWorkload) -> list[dict[str, Any]]:
    """Objects of one endpoint, in the order in which they are made, as plain data."""
    return _objects(workload, labels(workload), rendered(workload))


def render_callers(workload: CallerWorkload) -> list[dict[str, Any]]:
    """Objects for the callers of one endpoint that Google runs, in the order in which they are made."""
    plan = workload.plan
    shown = _labels(plan.stack, plan.framework.name, plan.model.id, plan.labels) | {
        "app.kubernetes.io/component": "inference-client"
    }
    return _objects(workload, shown, rendered_for_callers(workload))


def render_job(workload: JobWorkload) -> list[dict[str, Any]]:
    """Objects of one job, in the order in which they are made, with the script as it stands in manifests/jobs.

    Its Job is named after what it says, as most of a Job cannot change: another one is another Job.
    """
    plan, files = workload.plan, job_files()
    shown = _labels(plan.stack, plan.framework.name, plan.model.id, plan.labels) | {
        "app.kubernetes.io/component": "job",
        "app.kubernetes.io/version": plan.framework.version,
    }
    checksum = hashlib.sha256("".join(f"{name}\0{text}\0" for name, text in files.items()).encode()).hexdigest()[:16]
    names = {"workload": workload, "plan": plan, "name": plan.stack, "labels": shown}
    names |= {"files": files, "checksum": checksum, "job_name": plan.stack}
    said = json.dumps(_object("job", names)["spec"], sort_keys=True)
    names["job_name"] = f"{plan.stack}-{hashlib.sha256(said.encode()).hexdigest()[:5]}"
    return [_object(kind, names) for kind in JOB_OBJECTS]


def job_files() -> dict[str, str]:
    """The job's script: a file that is run, and those that it imports."""
    return _job_files(toolkit())


@cache
def _job_files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((folder / JOBS).glob("*.py"))}


def _objects(
    workload: KubernetesWorkload | CallerWorkload, shown: dict[str, str], kinds: Iterable[tuple[str, Any]]
) -> list[dict[str, Any]]:
    names = {"workload": workload, "plan": workload.plan, "name": workload.plan.stack, "labels": shown}
    return [_object(kind, names | {"each": each}) for kind, each in kinds]


def _object(kind: str, names: dict[str, Any]) -> dict[str, Any]:
    values: list[Any] = []
    text = _template(toolkit(), kind).render(names | {_VALUES: values})
    filled: dict[str, Any] = _filled(_structure(text, len(values)), values)
    return filled


def labels(workload: KubernetesWorkload) -> dict[str, str]:
    """Recommended labels of every object, and the platform's and stack's own under `servestack.dev/`."""
    plan = workload.plan
    return _labels(plan.stack, plan.framework.name, plan.model.id, plan.labels) | {
        "app.kubernetes.io/component": "inference-server",
        "app.kubernetes.io/version": plan.framework.version,
    }


def _labels(stack: str, framework: str, model: str, own: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": framework,
        "app.kubernetes.io/instance": stack,
        "app.kubernetes.io/part-of": model,
        "app.kubernetes.io/managed-by": "servestack",
        **{f"servestack.dev/{key}": value for key, value in own},
    }


def manifest(objects: list[dict[str, Any]]) -> str:
    """Objects as one YAML stream, keys sorted, for files and reviewers."""
    return str(
        yaml.dump_all(objects, Dumper=_Dumper, sort_keys=True, explicit_start=True, width=110, allow_unicode=True)
    )


class _Dumper(_SafeDumper):  # type: ignore[misc]
    pass


def _text(dumper: Any, value: str) -> Any:
    """Files inside objects as they are, line by line."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


class _Hole(int):
    """Place of a value, by its number, in a structure."""


class _Loader(_SafeLoader):  # type: ignore[misc]
    pass


_Loader.add_constructor("!hole", lambda _, node: _Hole(node.value))


@pass_context
def _tojson(context: Context, value: Any) -> str:
    values: list[Any] = context[_VALUES]
    values.append(value)
    return f"!hole {len(values) - 1}"


@lru_cache(maxsize=256)
def _structure(text: str, holes: int) -> Any:
    """A template's text as data; few texts differ, as values are not in them."""
    structure = yaml.load(text, Loader=_Loader)
    if sorted(_holes(structure)) != list(range(holes)):
        raise ValueError("a template has `tojson` inside a string or a comment; it must stand for a whole value.")
    return structure


def _holes(node: Any) -> Iterator[int]:
    if isinstance(node, _Hole):
        yield node
    elif isinstance(node, dict | list):
        for item in (*node, *node.values()) if isinstance(node, dict) else node:
            yield from _holes(item)


def _filled(node: Any, values: list[Any]) -> Any:
    """New dictionaries and lists, so that no two objects share one."""
    kind = type(node)
    if kind is dict:
        return {_filled(key, values): _filled(item, values) for key, item in node.items()}
    if kind is list:
        return [_filled(item, values) for item in node]
    return _plain(values[node]) if kind is _Hole else node


def _plain(value: Any) -> Any:
    """A value as JSON would give it back."""
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _plain(item) for key, item in value.items()}
    raise TypeError(f"a template's value is no plain data: {value!r}")


@cache
def _template(folder: Path, kind: str) -> Template:
    return _environment(folder).get_template(f"{kind}.yaml.j2")


@cache
def _environment(folder: Path) -> Environment:
    """Templates of another folder than the installation's may be anybody's, and run in Jinja's sandbox."""
    environment = (Environment if folder == INSTALLED else ImmutableSandboxedEnvironment)(
        loader=FileSystemLoader(folder / TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["tojson"] = _tojson
    return environment
