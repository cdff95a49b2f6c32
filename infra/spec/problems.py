"""What is wrong with the shape of a stack file, in words and with the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from infra.document import Document, quoted
from infra.errors import Problem, nearest
from infra.spec.endpoint import EndpointSpec
from infra.spec.job import misplaced_of_jobs
from infra.spec.managed import Vertex, misplaced, needs_accelerator
from infra.spec.platform import PlatformSpec

Spec = EndpointSpec | PlatformSpec
_EVERY_FILE = "every stack file of this kind has it"
_KINDS: dict[str, type[EndpointSpec] | type[PlatformSpec]] = {"Endpoint": EndpointSpec, "Platform": PlatformSpec}


def spec_problems(document: Document) -> tuple[Spec | None, list[Problem]]:
    """Check the shape of a stack file.

    Returns:
        The spec, or None, and every problem found.
    """
    kind = document.values.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        message = (
            f"unknown {quoted(kind)}. {nearest(str(kind), _KINDS)}"
            if kind is not None
            else "missing. Add 'kind: Endpoint'."
        )
        return None, [document.problem(("kind",), message)]
    schema = _KINDS[kind]
    try:
        spec = schema.model_validate(document.values)
    except ValidationError as error:
        found = [_problem(document, schema, dict(item)) for item in error.errors(include_url=False)]
        return None, [*found, *(_no_accelerator(document) if schema is EndpointSpec else [])]
    if isinstance(spec, PlatformSpec):
        return spec, []
    return spec, [*_no_accelerator(document), *_misplaced(document, spec)]


def _no_accelerator(document: Document) -> list[Problem]:
    """Whether one is missing, whatever else is wrong; the words are looked at as they stand in the file."""
    values = document.values
    framework, vertex = values.get("framework"), values.get("vertex")
    serverless = isinstance(vertex, dict) and vertex.get("serverless") is True
    if "accelerator" in values or not needs_accelerator(str(framework), Vertex(serverless=serverless)):
        return []
    return [document.problem(("accelerator",), "missing; every endpoint on machines of its own names one.")]


def _misplaced(document: Document, spec: EndpointSpec) -> list[Problem]:
    """Keys that do not go with the framework."""
    keys, engine_keys = frozenset(spec.model_fields_set), frozenset(spec.engine.model_fields_set)
    found = misplaced(spec.framework, spec.vertex, keys, engine_keys)
    told = {field for field, _ in found}
    jobs = misplaced_of_jobs(spec.framework, keys, engine_keys)
    found += [one for one in jobs if one[0] not in told]
    return [document.problem(field, message, at_key=True) for field, message in found]


def _problem(document: Document, schema: type[BaseModel], item: dict[str, Any]) -> Problem:
    *around, last = item["loc"] or ("",)
    tags = {"<managed>", "<name>", "<number>", "<word>"}  # of unions (infra.spec.secrets): no keys of the file
    own = last not in tags or item["type"] == "extra_forbidden"
    location = (*(part for part in around if part not in tags), *((last,) if own and item["loc"] else ()))
    if len(location) >= 3 and location[-1] == "[key]" and item["type"] != "extra_forbidden":
        location = location[:-1]  # pydantic's mark for the key of `labels`, not its value
    if location[:2] == ("accelerator", "type") and "type" not in _mapping(document, "accelerator"):
        location = ("accelerator", *location[2:])
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(schema, location[:-1])
        return document.problem(location, f"unknown key. {nearest(str(location[-1]), known)}", at_key=True)
    if kind == "missing":
        where = _EVERY_FILE if len(location) == 1 else "it is needed here"
        return document.problem(location, f"missing; {where}.")
    if kind == "literal_error":
        allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        return document.problem(location, f"unknown {quoted(item['input'])}. {nearest(str(item['input']), allowed)}")
    if kind == "string_pattern_mismatch":
        message = f"{quoted(item['input'])} is not accepted here; it must match {context['pattern']}"
        return document.problem(location, message)
    if kind in {"model_type", "dict_type"}:
        shape = ", ".join(_known_keys(schema, location)) if kind == "model_type" else "key: value, ..."
        return document.problem(location, f"expected {{{shape}}}, not {quoted(item['input'])}.")
    if kind in {"too_long", "too_short"}:
        bound, limit = ("most", context.get("max_length")) if kind == "too_long" else ("least", context["min_length"])
        entries = "1 entry" if limit == 1 else f"{limit} entries"
        return document.problem(location, f"at {bound} {entries}; there are {len(item['input'])}.")
    if kind == "list_type":
        example = f" Write [{item['input']}]." if isinstance(item["input"], str) and len(item["input"]) < 40 else ""
        return document.problem(location, f"expected a list, not {quoted(item['input'])}.{example}")
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    value = f", not {quoted(item['input'])}"
    return document.problem(location, message if kind == "value_error" else f"{message}{value}.")


def _mapping(document: Document, key: str) -> dict[str, Any]:
    value = document.values.get(key)
    return value if isinstance(value, dict) else {}


def _known_keys(schema: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    current: Any = schema
    for part in location:
        field = current.model_fields.get(part) if isinstance(part, str) else None
        current = field.annotation if field is not None else current
        current = next(_models(current), schema)
    return list(current.model_fields)


def _models(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "model_fields"):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
