"""Property bags: protobuf structs to Python values and back, with secrets and unknowns.

A property value is plain JSON data in which `Secret(value)` marks a secret and `UNKNOWN` a value that is not
known during a preview. A Kubernetes object is the same data without secrets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

Properties = dict[str, Any]
"""A resource's property bag: JSON data that may hold `Secret` and `UNKNOWN`."""

Object = dict[str, Any]
"""A Kubernetes object: JSON data, which may hold `UNKNOWN` during a preview."""

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
_OUTPUT_SIGNATURE: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_UNKNOWN_TEXTS: Final = frozenset(
    {
        _UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)

_DASHED: Final = {
    f"x_kubernetes_{name}": f"x-kubernetes-{name.replace('_', '-')}"
    for name in (
        "embedded_resource",
        "int_or_string",
        "list_map_keys",
        "list_type",
        "map_type",
        "preserve_unknown_fields",
        "validations",
    )
}
_UNDERSCORED: Final = {dashed: underscored for underscored, dashed in _DASHED.items()}


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, memo: object) -> Unknown:
        return self


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret property value."""

    value: Any


def from_struct(struct: struct_pb2.Struct) -> Properties:
    """Reads a property bag; null members are left out, as the official provider does (SkipNulls).

    Integral numbers become `int`: the wire has doubles only, and the API server refuses `1.0` for an integer.
    """
    bag = _from_struct(struct)
    return bag if isinstance(bag, dict) else {}


def _from_struct(struct: struct_pb2.Struct) -> Any:
    fields = struct.fields
    if _SIGNATURE in fields:
        signature = fields[_SIGNATURE].string_value
        if signature == _SECRET_SIGNATURE:
            return Secret(_from_value(fields["value"]))
        if signature == _OUTPUT_SIGNATURE:
            value = _from_value(fields["value"]) if "value" in fields else UNKNOWN
            return Secret(value) if fields["secret"].bool_value else value
    bag: Properties = {}
    for key, value in fields.items():
        if value.WhichOneof("kind") != "null_value":
            bag[key] = _from_value(value)
    return bag


def _from_value(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        text = value.string_value
        return UNKNOWN if text in _UNKNOWN_TEXTS else text
    if kind == "struct_value":
        return _from_struct(value.struct_value)
    if kind == "list_value":
        return [_from_value(item) for item in value.list_value.values]
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    return None


def to_struct(bag: Properties) -> struct_pb2.Struct:
    """Writes a property bag; null members are left out."""
    struct = struct_pb2.Struct()
    _fill_struct(struct, bag)
    return struct


def _fill_struct(struct: struct_pb2.Struct, bag: Mapping[str, Any]) -> None:
    fields = struct.fields
    for key, value in bag.items():
        if value is not None:
            _fill_value(fields[key], value)


def _fill_value(target: struct_pb2.Value, value: Any) -> None:
    if isinstance(value, str):
        target.string_value = value
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, dict):
        target.struct_value.SetInParent()
        _fill_struct(target.struct_value, value)
    elif isinstance(value, list):
        target.list_value.SetInParent()
        for item in value:
            _fill_value(target.list_value.values.add(), item)
    elif isinstance(value, Secret):
        fields = target.struct_value.fields
        fields[_SIGNATURE].string_value = _SECRET_SIGNATURE
        _fill_value(fields["value"], value.value)
    elif value is UNKNOWN:
        target.string_value = _UNKNOWN_TEXT
    else:
        target.null_value = struct_pb2.NULL_VALUE


def to_object(value: Any) -> Any:
    """Turns property data into Kubernetes data: no secrets, `x_kubernetes_*` keys with dashes. Copies."""
    if isinstance(value, dict):
        return {_DASHED.get(key, key): to_object(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_object(item) for item in value]
    if isinstance(value, Secret):
        return to_object(value.value)
    return value


def to_properties(value: Any) -> Any:
    """Turns Kubernetes data into property data: `x-kubernetes-*` keys are stored with underscores. Copies."""
    if isinstance(value, dict):
        return {_UNDERSCORED.get(key, key): to_properties(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_properties(item) for item in value]
    return value


def has_unknown(value: Any) -> bool:
    """Whether the value is or holds `UNKNOWN` at any depth."""
    if isinstance(value, dict):
        return any(has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(has_unknown(item) for item in value)
    if isinstance(value, Secret):
        return has_unknown(value.value)
    return value is UNKNOWN


def has_secret(value: Any) -> bool:
    """Whether the value is or holds a `Secret` at any depth."""
    if isinstance(value, dict):
        return any(has_secret(item) for item in value.values())
    if isinstance(value, list):
        return any(has_secret(item) for item in value)
    return isinstance(value, Secret)


def annotate_secrets(outputs: Properties, inputs: Properties) -> None:
    """Marks in `outputs`, in place, what is secret in `inputs`.

    Official behaviour: provider.go annotateSecrets. In an object of kind Secret all of `data` and `stringData`
    is secret, whatever the inputs say. Otherwise secretness is copied per key, recursing into maps; a list with
    one secret item becomes secret as a whole.
    """
    if outputs.get("kind") == "Secret":
        for key in ("data", "stringData"):
            if key in outputs and not isinstance(outputs[key], Secret):
                outputs[key] = Secret(outputs[key])
        return
    for key, given in inputs.items():
        if key not in outputs:
            continue
        value = outputs[key]
        if isinstance(value, dict) and isinstance(given, dict):
            annotate_secrets(value, given)
        elif not isinstance(value, Secret) and has_secret(given):
            outputs[key] = Secret(value)
