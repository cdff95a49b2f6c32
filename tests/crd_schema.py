"""Judges custom resources by the schemas of their definitions, without a server.

What an API server checks besides is left to it: rules in CEL (`x-kubernetes-validations`), webhooks, references.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from simulator import custom_resources

Schema = dict[str, Any]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_NAME = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
_METADATA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 253, "pattern": _NAME},
        "namespace": {"type": "string", "minLength": 1, "maxLength": 63},
        "generateName": {"type": "string"},
        "labels": _TEXTS,
        "annotations": _TEXTS,
        "finalizers": {"type": "array", "items": {"type": "string"}},
        "ownerReferences": {"type": "array", "items": {"type": "object"}},
    },
    "anyOf": [{"required": ["name"]}, {"required": ["generateName"]}],
}
"""What a client may set of ObjectMeta (kubernetes apimachinery, meta/v1); names of custom resources are subdomains."""


class CustomResourceError(AssertionError):
    """An object that an API server would refuse; the text has a line for each reason."""


def is_custom(obj: Mapping[str, Any]) -> bool:
    """Whether a definition is known for the kind of an object."""
    return (_group(obj), obj.get("kind")) in _definitions()


def known() -> set[tuple[str, str]]:
    """Group and kind of every definition that a simulated cluster has."""
    return {(spec["group"], spec["names"]["kind"]) for spec in map(_spec, custom_resources.locate())}


def validate(obj: Mapping[str, Any]) -> None:
    """Check an object against the definition of its kind.

    Raises:
        CustomResourceError: The kind or version is unknown, a field is unknown, missing or of a wrong value.
    """
    kind = str(obj.get("kind"))
    definition = _definitions().get((_group(obj), kind))
    if definition is None:
        raise CustomResourceError(f'no matches for kind "{kind}" in version "{obj.get("apiVersion")}"')
    name = str(obj["apiVersion"]).rpartition("/")[2]
    served = sorted(version["name"] for version in definition["versions"] if version["served"])
    if name not in served:
        raise CustomResourceError(f"{kind} is served as {', '.join(served)}, not as {name}")
    found = list(_errors(_validator(_group(obj), kind, name), json.loads(json.dumps(obj))))
    if definition["scope"] == "Cluster" and "namespace" in obj.get("metadata", {}):
        found.append(f"metadata.namespace: {kind} is not namespaced")
    if found:
        raise CustomResourceError("\n".join(found))


def _group(obj: Mapping[str, Any]) -> str:
    return str(obj.get("apiVersion", "")).rpartition("/")[0]


@functools.cache
def _definitions() -> dict[tuple[str, str], Schema]:
    found = {}
    for spec in map(_spec, custom_resources.locate(gitops=True)):
        found[(spec["group"], spec["names"]["kind"])] = spec
    return found


@functools.cache
def _spec(file: Path) -> Schema:
    found: Schema = yaml.load(file.read_bytes(), _LOADER)["spec"]
    return found


@functools.cache
def _validator(group: str, kind: str, version: str) -> Any:
    spec = _definitions()[(group, kind)]
    schema = next(one["schema"]["openAPIV3Schema"] for one in spec["versions"] if one["name"] == version)
    closed = _closed(schema)
    closed["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": _METADATA}
    closed["required"] = sorted({*closed.get("required", ()), "apiVersion", "kind", "metadata"})
    # OpenAPI 3.0 takes its keywords from JSON Schema's draft 4 and 5: exclusiveMinimum is a boolean there.
    rules = {"x-kubernetes-list-map-keys": _distinct_keys}
    return jsonschema.validators.extend(jsonschema.Draft4Validator, rules)(closed)


def _closed(schema: Schema) -> Schema:
    """Translate a structural schema: what it does not name is refused, as strict field validation does.

    Only properties, items and additionalProperties hold structure; anyOf, oneOf, allOf and not hold rules on values
    and stay open (apiextensions-apiserver, pkg/apiserver/schema).
    """
    closed = dict(schema)
    if "properties" in schema:
        closed["properties"] = {name: _closed(inner) for name, inner in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        closed["items"] = _closed(schema["items"])
    if isinstance(schema.get("additionalProperties"), dict):
        closed["additionalProperties"] = _closed(schema["additionalProperties"])
    if schema.get("x-kubernetes-embedded-resource"):
        inner = closed.setdefault("properties", {})
        inner |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("type") == "object" and not is_open:
        closed.setdefault("properties", {})
        closed["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        closed["type"] = ["integer", "string"]
    if schema.get("nullable"):
        kinds = closed.get("type", [])
        closed["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
        if "enum" in closed:
            closed["enum"] = [*closed["enum"], None]
    if schema.get("x-kubernetes-list-type") == "set":
        closed["uniqueItems"] = True
    return closed


def _distinct_keys(validator: Any, keys: list[str], items: Any, schema: Schema) -> Iterator[Any]:
    """Refuse two items of a list of type map that have the same keys."""
    defaults = {name: one.get("default") for name, one in schema["items"].get("properties", {}).items()}
    seen = set()
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict):
            key = json.dumps([item.get(name, defaults.get(name)) for name in keys])
            if key in seen:
                yield jsonschema.ValidationError(f"two items have {', '.join(keys)} {key[1:-1]}")
            seen.add(key)


def _errors(validator: Any, obj: Any) -> Iterator[str]:
    for error in sorted(validator.iter_errors(obj), key=lambda one: list(map(str, one.absolute_path))):
        yield f"{'.'.join(map(str, error.absolute_path)) or 'object'}: {error.message}"
