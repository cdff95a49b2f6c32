"""Reduces a live object to the shape of the inputs that made it."""

from __future__ import annotations

import copy
from typing import Any


def prune(live: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    """Keeps of `live` what `shape` has, recursively.

    Official behaviour: util.go pruneMap and pruneSlice. Lists are matched by index up to the length of the
    shape's; where the two differ in type, the live value is kept whole.
    """
    result: dict[str, Any] = {}
    for key, value in live.items():
        if key not in shape:
            continue
        wanted = shape[key]
        if isinstance(value, dict) and isinstance(wanted, dict):
            result[key] = prune(value, wanted)
        elif isinstance(value, list) and isinstance(wanted, list):
            result[key] = _prune_list(value, wanted)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _prune_list(live: list[Any], shape: list[Any]) -> list[Any]:
    if not live or not shape:
        return []
    if type(live[0]) is not type(shape[0]):
        return copy.deepcopy(live)
    result: list[Any] = []
    for value, wanted in zip(live, shape, strict=False):
        if isinstance(value, dict) and isinstance(wanted, dict):
            result.append(prune(value, wanted))
        elif isinstance(value, list) and isinstance(wanted, list):
            result.append(_prune_list(value, wanted))
        else:
            result.append(copy.deepcopy(value))
    return result
