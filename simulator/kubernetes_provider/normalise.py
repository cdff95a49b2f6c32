"""Normalises inputs as a round trip through the Go types would.

Official behaviour: provider.go normalizeInputs and clients.Normalize. The stand-in has no Go types; it reads the
server's OpenAPI document and a table of which fields are pointers.
"""

from __future__ import annotations

import base64
import binascii
import copy
from collections.abc import Callable
from typing import Any, Final

from simulator.kubernetes_provider import quantity
from simulator.kubernetes_provider.go_zero_values import POINTER_STRINGS, VALUE_NUMBERS
from simulator.kubernetes_provider.kinds import group_of, is_built_in
from simulator.kubernetes_provider.openapi import Document, Schema
from simulator.kubernetes_provider.properties import Object, has_unknown

_SERVER_METADATA: Final = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)
_DROPPED: Final = object()


class _WrongTypeError(Exception):
    """A value does not fit its schema: the Go decoder would refuse the whole object."""


Documents = Callable[[str], Document | None]
"""Finds the OpenAPI document of an API version."""


def normalise(obj: Object, documents: Documents) -> Object:
    """Returns a normalised copy.

    Unknown fields of built-in kinds vanish, quantities become canonical, zero values that Go would not encode
    vanish; an object with a value of the wrong type is left as it is. Server metadata is always removed.

    Args:
        obj: the inputs.
        documents: the server's documents; where there is none, only metadata is cleaned.
    """
    obj = copy.deepcopy(obj)
    api_version, kind = obj.get("apiVersion"), obj.get("kind")
    if isinstance(api_version, str) and isinstance(kind, str) and not has_unknown(obj):
        if (api_version, kind) == ("v1", "Secret"):
            obj = _secret(_through_schema(obj, documents))
        elif kind == "CustomResourceDefinition" and group_of(api_version) == "apiextensions.k8s.io":
            _definition(obj)
        elif is_built_in(api_version):
            obj = _through_schema(obj, documents)
    metadata = obj.get("metadata")
    if isinstance(metadata, dict):
        for key in _SERVER_METADATA:
            metadata.pop(key, None)
    return obj


def _through_schema(obj: Object, documents: Documents) -> Object:
    api_version = str(obj["apiVersion"])
    document = documents(api_version)
    if document is None:
        return obj
    found = document.kind(group_of(api_version), api_version.rpartition("/")[2], str(obj["kind"]))
    if found is None:
        return obj
    try:
        return _struct(document, found[0], found[1], obj)
    except _WrongTypeError:
        return obj


def _struct(document: Document, name: str, schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    short = name.rpartition(".")[2]
    required = schema.get("required") or ()
    result: dict[str, Any] = {}
    for key, field in schema["properties"].items():
        if key not in value or value[key] is None:
            continue
        encoded = _value(document, field, value[key], f"{short}.{key}", key in required)
        if encoded is not _DROPPED:
            result[key] = encoded
    return {key: result[key] for key in value if key in result}


def _value(document: Document, field: Schema, value: Any, path: str, required: bool) -> Any:
    name, schema = document.resolve(field)
    if name.endswith("resource.Quantity"):
        return _quantity(value)
    if schema.get("format") == "int-or-string":
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise _WrongTypeError
        return value
    kind = schema.get("type")
    if kind == "object":
        return _object(document, name, schema, value, required)
    if kind == "array":
        return _list(document, schema, value, required)
    if kind == "string":
        if not isinstance(value, str):
            raise _WrongTypeError
        return value if value or required or path in POINTER_STRINGS else _DROPPED
    if kind == "boolean":
        if not isinstance(value, bool):
            raise _WrongTypeError
        return value if value or required or path not in VALUE_NUMBERS else _DROPPED
    if kind in ("integer", "number"):
        allowed = int if kind == "integer" else int | float
        if isinstance(value, bool) or not isinstance(value, allowed):
            raise _WrongTypeError
        return value if value or required or path not in VALUE_NUMBERS else _DROPPED
    return value


def _object(document: Document, name: str, schema: Schema, value: Any, required: bool) -> Any:
    if not isinstance(value, dict):
        raise _WrongTypeError
    if schema.get("properties"):
        return _struct(document, name, schema, value)
    inner = schema.get("additionalProperties")
    if not isinstance(inner, dict):
        return value
    if not value and not required:
        return _DROPPED
    return {key: _value(document, inner, item, "", True) for key, item in value.items()}


def _list(document: Document, schema: Schema, value: Any, required: bool) -> Any:
    if not isinstance(value, list):
        raise _WrongTypeError
    if not value and not required:
        return _DROPPED
    inner = schema.get("items") or {}
    return [_value(document, inner, item, "", True) for item in value if item is not None]


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _WrongTypeError
    text = quantity.canonical(value)
    if text is None:
        raise _WrongTypeError
    return text


def _secret(obj: Object) -> Object:
    """`stringData` goes into `data` as base64 and disappears; `data` is decoded and encoded again."""
    data = obj.get("data") or {}
    given = obj.get("stringData") or {}
    if not isinstance(data, dict) or not isinstance(given, dict):
        return obj
    try:
        merged = {key: base64.b64encode(base64.b64decode(value, validate=True)).decode() for key, value in data.items()}
        merged.update({key: base64.b64encode(text.encode()).decode() for key, text in given.items()})
    except (binascii.Error, ValueError, TypeError, AttributeError):
        return obj
    obj.pop("stringData", None)
    if merged or "data" in obj:
        obj["data"] = merged
    return obj


def _definition(obj: Object) -> None:
    obj.pop("status", None)
    spec = obj.get("spec")
    if isinstance(spec, dict) and spec.get("preserveUnknownFields") is False:
        del spec["preserveUnknownFields"]
