"""The bridge's check: what is wrong with inputs, and what it fills in before it asks the provider anything."""

from __future__ import annotations

import hashlib

from simulator.google import schema
from simulator.google.input_checks import input_failures
from simulator.google.resource_types import RESOURCE_TYPES
from simulator.google.schema import Failure
from simulator.google.wire import Properties

_NAME_DIGITS = 7
_NAME_LIMIT = 63


def check(token: str, name: str, olds: Properties, inputs: Properties, seed: bytes) -> tuple[Properties, list[Failure]]:
    """Inputs with what the bridge fills in, and everything that is wrong with them.

    Args:
        token: A resource type that is known.
        name: The resource's name in the program.
        olds: Inputs as of the last update.
        inputs: New inputs.
        seed: Whence a name is made up.
    """
    kind = schema.resource_kind(token)
    assert kind is not None
    described = RESOURCE_TYPES.get(token)
    inputs, defaults = dict(inputs), []
    key = described.name if described else "name"
    if key in kind.fields and key not in kind.required and inputs.get(key) is None and not inputs.get("namePrefix"):
        was_ours = key in (olds.get("__defaults") or []) and olds.get(key)
        limit = described.name_limit if described else _NAME_LIMIT
        inputs[key] = olds[key] if was_ours else _automatic_name(name, seed, limit)
        defaults.append(key)
    given = described.defaults if described else {"deletionProtection": True} if token == schema.CLUSTER else {}
    for default, value in given.items():
        if inputs.get(default) is None:
            inputs[default] = value
            defaults.append(default)
    found = schema.failures(kind, inputs) or input_failures(token, inputs)
    return {**inputs, "__defaults": defaults}, found


def _automatic_name(name: str, seed: bytes, limit: int) -> str:
    digest = hashlib.sha256(seed or name.encode()).hexdigest()[:_NAME_DIGITS]
    return f"{name[: limit - _NAME_DIGITS - 1]}-{digest}"
