"""Server-side apply: when to force, what to send for ignored fields, and the text of a conflict."""

from __future__ import annotations

import copy
from typing import Any, Final

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.configuration import Configuration
from simulator.kubernetes_provider.errors import ApiError
from simulator.kubernetes_provider.field_manager import (
    has_client_side_entry,
    has_managed_fields,
    owned_only_by_others,
)
from simulator.kubernetes_provider.properties import Object

_CONFLICT_HELP: Final = (
    "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/"
    "managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources"
)


def apply_conflict(manager: str, error: ApiError) -> str:
    """Official behaviour: await.go handleSSAErr."""
    return (
        f"server-side apply field conflict detected, see {_CONFLICT_HELP} for troubleshooting help\n"
        f'The resource managed by field manager "{manager}" had an apply conflict: {error}'
    )


def patch_force(configuration: Configuration, inputs: Object, live: Object | None, preview: bool) -> bool:
    """Whether an apply overrides other managers.

    Official behaviour: await.go patchForce. After a fresh create a preview forces, because the object still has
    a client-side entry; the update itself does not.
    """
    if annotation.is_true(inputs, annotation.PATCH_FORCE) or configuration.patch_force:
        return True
    if live is None:
        return preview
    return not has_managed_fields(live) or (preview and has_client_side_entry(live))


def without_ignored_fields(inputs: Object, live: Object, manager: str, ignored: list[str]) -> Object:
    """The inputs to apply under ignoreChanges.

    Official behaviour: await.go handleSSAIgnoreFields: a field that only others own is left out; otherwise the
    live value is sent. Dotted paths only, no list indices.
    """
    result = copy.deepcopy(inputs)
    for text in ignored:
        path = text.split(".")
        if owned_only_by_others(live, path, manager):
            _remove(result, path)
            continue
        found, value = _find(live, path)
        if found:
            _set(result, path, copy.deepcopy(value))
    return result


def _find(obj: Any, path: list[str]) -> tuple[bool, Any]:
    for part in path:
        if not isinstance(obj, dict) or part not in obj:
            return False, None
        obj = obj[part]
    return True, obj


def _remove(obj: Any, path: list[str]) -> None:
    *parents, last = path
    found, parent = _find(obj, parents)
    if found and isinstance(parent, dict):
        parent.pop(last, None)


def _set(obj: Any, path: list[str], value: Any) -> None:
    *parents, last = path
    for part in parents:
        if not isinstance(obj, dict):
            return
        obj = obj.setdefault(part, {})
    if isinstance(obj, dict):
        obj[last] = value
