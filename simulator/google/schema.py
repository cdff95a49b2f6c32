"""Which inputs a resource takes, read from the installed SDK's own classes."""

from __future__ import annotations

import collections.abc
import functools
import importlib
import inspect
import typing
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import _types

from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.wire import is_unknown

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
_CLASSES = {
    CLUSTER: "container.ClusterArgs",
    NODE_POOL: "container.NodePoolArgs",
    **{token: kind.sdk for token, kind in RESOURCE_TYPES.items()},
}
_PACKAGE_KEYS = {"version", "pluginDownloadURL", "__internal"}
"""Keys that the engine adds to a provider's configuration."""
_SCALARS: dict[type, str] = {str: "string", int: "number", float: "number", bool: "boolean"}
_PYTHON_KINDS = {
    str: "string",
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
    dict: "object",
}


@dataclass(frozen=True)
class Kind:
    """The type of one property.

    Attributes:
        name: string, number, boolean, object, array, map or any.
        element: Of what an array or a map is made.
        source: The SDK's class of an object, or of an array's or map's elements.
    """

    name: str
    element: Kind | None = None
    source: type | None = None

    @property
    def fields(self) -> dict[str, Kind]:
        """Properties of an object by their names on the wire."""
        return _fields(self.source) if self.source else {}

    @property
    def required(self) -> frozenset[str]:
        """Those of an object that must be given."""
        return _required(self.source) if self.source else frozenset()


@dataclass(frozen=True)
class Failure:
    """An input that the provider refuses.

    Attributes:
        path: Such as "nodeConfig.machineType".
        summary: What is wrong, in the words of Terraform and of Pulumi's bridge to it.
    """

    path: str
    summary: str

    def text(self, resource: str) -> str:
        """As the bridge words it (pulumi-terraform-bridge, its tests for check failures)."""
        return f"{self.summary}. Examine values at '{resource}.{self.path}'."


def resource_kind(token: str) -> Kind | None:
    """The inputs of a resource type; None for a type that is not simulated."""
    if token not in _CLASSES:
        return None
    # Importing the SDK takes half a second, so it waits until the first check.
    module, _, name = _CLASSES[token].rpartition(".")
    return Kind("object", source=getattr(importlib.import_module(f"pulumi_gcp.{module}"), name))


def configuration_failures(configuration: dict[str, Any]) -> list[Failure]:
    """Keys of a provider's configuration that the SDK's provider does not have."""
    known = set(_fields(importlib.import_module("pulumi_gcp").ProviderArgs)) | _PACKAGE_KEYS
    return [Failure(key, "Invalid or unknown key") for key in configuration if key not in known]


def known_resources() -> list[str]:
    """Resource types that are simulated."""
    return sorted(_CLASSES)


@functools.cache
def _fields(source: type) -> dict[str, Kind]:
    return {name: _kind(annotation) for name, annotation in _types.input_type_types(source).items()}


@functools.cache
def _required(source: type) -> frozenset[str]:
    names = _types.input_type_py_to_pulumi_names(source)
    parameters = inspect.signature(source.__init__).parameters.values()  # type: ignore[misc]
    needed = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty]
    return frozenset(names[name] for name in needed)


def _kind(annotation: Any) -> Kind:
    annotation = _without_wrappers(annotation)
    if annotation in _SCALARS:
        return Kind(_SCALARS[annotation])
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (collections.abc.Sequence, list):
        return Kind("array", element=_kind(arguments[0]))
    if origin in (collections.abc.Mapping, dict):
        return Kind("map", element=_kind(arguments[1]))
    if isinstance(annotation, type) and _types.is_input_type(annotation):
        return Kind("object", source=annotation)
    return Kind("any")


def _without_wrappers(annotation: Any) -> Any:
    """What is inside Optional, Awaitable and Output."""
    for argument in typing.get_args(annotation) if typing.get_origin(annotation) is typing.Union else ():
        outer = typing.get_origin(argument) or argument
        if outer not in (collections.abc.Awaitable, pulumi.Output, type(None)):
            return argument
    return annotation


def failures(kind: Kind, value: Any, path: str = "") -> list[Failure]:
    """Everything wrong with the form of an input: unknown keys, missing ones, wrong types."""
    if value is None or is_unknown(value) or kind.name == "any":
        return []
    if kind.name == "object":
        return _object_failures(kind, value, path)
    if kind.name == "map" and isinstance(value, dict):
        found = [failures(kind.element or Kind("any"), one, f'{path}["{key}"]') for key, one in value.items()]
        return [failure for one in found for failure in one]
    if kind.name == "array" and isinstance(value, list):
        found = [failures(kind.element or Kind("any"), one, f"{path}[{index}]") for index, one in enumerate(value)]
        return [failure for one in found for failure in one]
    return [] if _is_scalar(kind.name, value) else [_wrong_type(kind, value, path)]


def _object_failures(kind: Kind, value: Any, path: str) -> list[Failure]:
    if not isinstance(value, dict):
        return [_wrong_type(kind, value, path)]
    prefix = f"{path}." if path else ""
    found = []
    for key, one in value.items():
        if key == "__defaults":
            continue
        if key in kind.fields:
            found += failures(kind.fields[key], one, prefix + key)
        else:
            found.append(Failure(prefix + key, "Invalid or unknown key"))
    for key in sorted(kind.required):
        if value.get(key) is None:
            name = snake_case(key)
            found.append(
                Failure(
                    prefix + key,
                    f'Missing required argument. The argument "{name}" is required, but no definition was found.',
                )
            )
    return found


def _is_scalar(kind: str, value: Any) -> bool:
    """Terraform also takes a number or boolean written as a string, and the reverse."""
    if isinstance(value, (list, dict)):
        return False
    if kind == "number" and isinstance(value, str):
        return value.lstrip("-").replace(".", "", 1).isdigit()
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false")
    return kind in ("string", "number") and not (kind == "number" and isinstance(value, bool))


def _wrong_type(kind: Kind, value: Any, path: str) -> Failure:
    name = "object" if kind.name == "map" else kind.name
    return Failure(path, f"expected {name} type, got {_PYTHON_KINDS.get(type(value), 'unknown')} type")


def snake_case(name: str) -> str:
    """A property's name in Terraform.

    >>> snake_case("nodeConfig")
    'node_config'
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
