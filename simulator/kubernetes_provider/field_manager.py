"""Server-side apply field managers: their names, taking over from client-side ones, and who owns a field."""

from __future__ import annotations

import copy
import os
from typing import Any, Final

from simulator.kubernetes_provider import annotation
from simulator.kubernetes_provider.properties import Object

CLIENT_SIDE_MANAGER: Final = "pulumi-kubernetes"

_OURS_CLIENT_SIDE: Final = ("pulumi-kubernetes", "pulumi-kubernetes.exe", "pulumi-resource-kubernetes")
_TAKEN_OVER: Final = frozenset(
    {
        ("kubectl", "Apply"),
        ("kubectl", "Update"),
        ("before-first-apply", "Update"),
        *((name, "Update") for name in _OURS_CLIENT_SIDE),
    }
)


def field_manager(inputs: Object, from_state: str, server_side_apply: bool) -> str:
    """Official behaviour: provider.go fieldManagerName: the annotation, else the state's, else a random one."""
    if not server_side_apply:
        return CLIENT_SIDE_MANAGER
    chosen = annotation.value_of(inputs, annotation.PATCH_FIELD_MANAGER)
    return chosen or from_state or f"{CLIENT_SIDE_MANAGER}-{os.urandom(4).hex()}"


def _entries(live: Object) -> list[dict[str, Any]]:
    entries = (live.get("metadata") or {}).get("managedFields") or []
    return [entry for entry in entries if isinstance(entry, dict)]


def has_managed_fields(live: Object) -> bool:
    """Whether the server keeps track of the object's fields."""
    return bool(_entries(live))


def has_client_side_entry(live: Object) -> bool:
    """Whether the official provider made or changed the object by client-side requests."""
    return any(
        entry.get("operation") == "Update" and entry.get("manager") in _OURS_CLIENT_SIDE for entry in _entries(live)
    )


def taken_over(live: Object, manager: str) -> list[dict[str, Any]] | None:
    """The managed fields after `manager` took over those of client-side managers; None where there are none.

    Official behaviour: await.go fixCSAFieldManagers with fluxssa.PatchReplaceFieldsManagers: entries of kubectl
    and of the provider's own client-side requests become one Apply entry.
    """
    entries = copy.deepcopy(_entries(live))
    taken = [
        entry
        for entry in entries
        if (entry.get("manager"), entry.get("operation")) in _TAKEN_OVER and not entry.get("subresource")
    ]
    if not taken:
        return None
    rest = [entry for entry in entries if entry not in taken]
    mine = next(
        (
            entry
            for entry in rest
            if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource")
        ),
        None,
    )
    if mine is None:
        mine = {**taken[0], "manager": manager, "operation": "Apply"}
        rest.append(mine)
    for entry in taken:
        mine["fieldsV1"] = _union(mine.get("fieldsV1") or {}, entry.get("fieldsV1") or {})
    return rest


def _union(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(left)
    for key, value in right.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = _union(result[key], value)
        else:
            result.setdefault(key, copy.deepcopy(value))
    return result


def owned_only_by_others(live: Object, path: list[str], manager: str) -> bool:
    """Whether other managers own a field (dotted path, no list indices) and `manager` does not."""
    owners = {str(entry.get("manager")) for entry in _entries(live) if _owns(entry.get("fieldsV1") or {}, path)}
    return bool(owners) and manager not in owners


def _owns(fields: dict[str, Any], path: list[str]) -> bool:
    for part in path:
        inner = fields.get(f"f:{part}")
        if not isinstance(inner, dict):
            return False
        fields = inner
    return True
