"""Differences between two objects: an RFC 7386 merge patch, and Pulumi's detailed diff of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.kubernetes_provider.force_new import forces_replacement
from simulator.kubernetes_provider.property_path import Path


class Change(NamedTuple):
    """One changed leaf.

    Attributes:
        kind: `add`, `delete` or `update`.
        replaces: whether the object must be replaced for it.
    """

    kind: str
    replaces: bool


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _same(old: Any, new: Any) -> bool:
    """Deep equality of JSON values: numbers by value, whatever their type, and never equal to booleans."""
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    if _is_number(old) and _is_number(new):
        return bool(old == new)
    return type(old) is type(new) and bool(old == new)


def merge_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The merge patch from old to new: None deletes a key, lists are replaced whole."""
    patch: dict[str, Any] = {}
    for key, value in new.items():
        if key not in old:
            patch[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            inner = merge_patch(old[key], value)
            if inner:
                patch[key] = inner
        elif not _same(old[key], value):
            patch[key] = value
    patch.update(dict.fromkeys(key for key in old if key not in new))
    return patch


class DetailedDiff:
    """Collects the changed leaves of a merge patch.

    Official behaviour: provider.go convertPatchToDiff: a leaf missing in the base is an add, a null in the patch
    a delete, lists are compared by index, a change without a new or an old input is skipped.
    """

    def __init__(self, force_new: tuple[str, ...]) -> None:
        self._force_new = force_new
        self.changes: dict[Path, Change] = {}

    def add_map(
        self,
        path: Path,
        patch: dict[str, Any],
        old: dict[str, Any],
        new_input: Any,
        old_input: Any,
        in_list: bool = False,
    ) -> None:
        """Adds the changes of a patched map; inside a list, keys missing in the patch are deletes."""
        given = new_input if isinstance(new_input, dict) else {}
        before = old_input if isinstance(old_input, dict) else {}
        for key, value in patch.items():
            self._add((*path, key), value, old.get(key), given.get(key), before.get(key), in_list)
        if in_list:
            for key, value in old.items():
                if key not in patch:
                    self._add((*path, key), None, value, given.get(key), before.get(key), in_list)

    def _add_list(self, path: Path, patch: list[Any], old: list[Any], new_input: Any, old_input: Any) -> None:
        def at(items: Any, index: int) -> Any:
            return items[index] if isinstance(items, list) and index < len(items) else None

        for index in range(max(len(patch), len(old))):
            here = (*path, index)
            self._add(here, at(patch, index), at(old, index), at(new_input, index), at(old_input, index), True)

    def _add(self, path: Path, value: Any, old: Any, new_input: Any, old_input: Any, in_list: bool) -> None:
        if new_input is None and (value is not None or old_input is None):
            return
        if value is None:
            kind = "delete"
        elif old is None:
            kind = "add"
        elif isinstance(value, dict) and isinstance(old, dict):
            self.add_map(path, value, old, new_input, old_input, in_list)
            return
        elif isinstance(value, list) and isinstance(old, list):
            self._add_list(path, value, old, new_input, old_input)
            return
        elif _same(old, value):
            return
        else:
            kind = "update"
        self.changes[path] = Change(kind, forces_replacement(path, value, self._force_new))
