"""Property bags as the Pulumi engine sends them: protobuf structs with a mark for what is not known yet."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format, struct_pb2
from pulumi.runtime.rpc import UNKNOWN, wrap_rpc_secret

Properties = dict[str, Any]


def is_unknown(value: Any) -> bool:
    """Whether a value will only be known after the update."""
    return isinstance(value, str) and value == UNKNOWN


def has_unknown(value: Any) -> bool:
    """Whether anything in a value will only be known after the update."""
    if isinstance(value, dict):
        return any(has_unknown(one) for one in value.values())
    if isinstance(value, list):
        return any(has_unknown(one) for one in value)
    return is_unknown(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def from_struct(struct: struct_pb2.Struct | None) -> Properties:
    """Plain Python values; whole numbers become integers."""
    if struct is None:
        return {}
    properties: Properties = _plain(json_format.MessageToDict(struct))
    return properties


def sealed(properties: Properties, names: tuple[str, ...]) -> Properties:
    """The same with some values marked as secrets, so that the engine encrypts them and shows none.

    >>> sealed({"a": 1, "b": None}, ("a", "b"))["b"] is None
    True
    """
    found = {name: properties[name] for name in names if properties.get(name) is not None}
    return properties | {name: wrap_rpc_secret(value) for name, value in found.items()}


def to_struct(properties: Properties) -> struct_pb2.Struct:
    """A struct without the keys that have no value."""
    struct = struct_pb2.Struct()
    json_format.ParseDict({key: value for key, value in properties.items() if value is not None}, struct)
    return struct
