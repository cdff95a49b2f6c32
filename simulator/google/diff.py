"""What changes between a resource's state and its new inputs, as Terraform's SDK sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from simulator.google.replacement import are_equal, forces_replacement, is_computed, is_set, is_write_only
from simulator.google.schema import Kind, resource_kind
from simulator.google.wire import Properties, has_unknown, is_unknown


@dataclass(frozen=True)
class Change:
    """One property that differs.

    Attributes:
        path: Such as "nodeConfig.machineType" or "nodeConfig.taints[0].key".
        action: "add", "delete" or "update".
        replaces: Whether it replaces the resource.
    """

    path: str
    action: str
    replaces: bool

    @property
    def top(self) -> str:
        """The top-level property."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def changes(
    token: str, state: Properties, old_inputs: Properties, inputs: Properties, ignored: list[str]
) -> list[Change]:
    """All differences that an update would have to apply.

    Only what the user gives is compared with the state, so a value that Google has filled in or changed by
    itself (the number of nodes of an autoscaled pool) is no difference. What the user gave before and gives no
    longer is one, unless Google fills it in.

    Args:
        token: The resource type.
        state: Outputs as of the last update or refresh.
        old_inputs: Inputs as of the last update.
        inputs: New inputs.
        ignored: Paths of the option ignoreChanges.
    """
    kind = resource_kind(token)
    if kind is None:
        return []
    found = _Comparison(token).object(kind, state, old_inputs, inputs, "")
    return [
        change for change in found if not _is_ignored(change.path, ignored) and not is_write_only(token, change.path)
    ]


def _is_ignored(path: str, ignored: list[str]) -> bool:
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in ignored)


def _is_zero(value: Any) -> bool:
    """Terraform's SDK does not tell a missing value from a zero one."""
    return value is None or value in (False, 0, "", [], {})


class _Comparison:
    def __init__(self, token: str) -> None:
        self._token = token

    def _change(self, path: str, old: Any, new: Any) -> Change:
        action = "add" if old is None else "delete" if new is None else "update"
        return Change(path, action, forces_replacement(self._token, path, old, new))

    def object(self, kind: Kind, state: Any, old_inputs: Any, inputs: Any, path: str) -> list[Change]:
        state = state if isinstance(state, dict) else {}
        old_inputs = old_inputs if isinstance(old_inputs, dict) else {}
        found = []
        for key, field in kind.fields.items():
            here = f"{path}.{key}" if path else key
            if inputs.get(key) is not None:
                found += self.value(field, state.get(key), old_inputs.get(key), inputs[key], here)
            elif (
                old_inputs.get(key) is not None
                and not is_computed(self._token, _without_indexes(here))
                and not _is_zero(state.get(key))
            ):
                found.append(self._change(here, state[key], None))
        return found

    def value(self, kind: Kind, state: Any, old_inputs: Any, inputs: Any, path: str) -> list[Change]:
        if is_unknown(inputs):
            return [self._change(path, state, inputs)]
        if kind.name == "object" and isinstance(inputs, dict):
            return self.object(kind, state, old_inputs, inputs, path)
        if kind.name == "array" and isinstance(inputs, list):
            return self.array(kind, state, old_inputs, inputs, path)
        if kind.name == "map" and isinstance(inputs, dict):
            state = state if isinstance(state, dict) else {}
            keys = sorted(inputs.keys() | state.keys())
            pairs = [(key, state.get(key), inputs.get(key)) for key in keys]
            return [
                self._change(f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]', old, new)
                for key, old, new in pairs
                if old != new
            ]
        if state == inputs or (_is_zero(state) and _is_zero(inputs)) or str(state) == str(inputs):
            return []
        if are_equal(self._token, _without_indexes(path), state, inputs):
            return []
        return [self._change(path, state, inputs)]

    def array(self, kind: Kind, state: Any, old_inputs: Any, inputs: list[Any], path: str) -> list[Change]:
        state = state if isinstance(state, list) else []
        old_inputs = old_inputs if isinstance(old_inputs, list) else []
        element = kind.element or Kind("any")
        if is_set(self._token, _without_indexes(path)) and not has_unknown(inputs):
            return self._set(element, state, inputs, path)
        found = []
        for index in range(max(len(state), len(inputs))):
            here = f"{path}[{index}]"
            if index >= len(inputs):
                found.append(self._change(here, state[index], None))
            elif index >= len(state):
                found.append(self._change(here, None, inputs[index]))
            else:
                before = old_inputs[index] if index < len(old_inputs) else None
                found += self.value(element, state[index], before, inputs[index], here)
        return found

    def _set(self, element: Kind, state: list[Any], inputs: list[Any], path: str) -> list[Change]:
        """Each given one must be there, in any order, and nothing else."""
        left = list(state)
        for one in inputs:
            match = next((other for other in left if not self.value(element, other, other, one, path)), None)
            if match is None:
                return [self._change(path, state, inputs)]
            left.remove(match)
        return [self._change(path, state, inputs)] if left else []


def _without_indexes(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)
