"""Object names: autonaming, identifiers, nested metadata fields."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

from simulator.kubernetes_provider.annotation import AUTONAMED, is_true
from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.properties import UNKNOWN, Object


@dataclass(frozen=True)
class Autonaming:
    """The engine's autonaming wish: a proposed name, whether it must be used, or that none may be made."""

    proposed_name: str = ""
    disabled: bool = False


def metadata_of(obj: Object) -> dict[str, Any]:
    """The object's metadata, created where missing; a throw-away one where it is not known yet."""
    metadata = obj.setdefault("metadata", {})
    return metadata if isinstance(metadata, dict) else {}


def metadata_text(obj: Object, key: str) -> str:
    """A text of the metadata; empty where absent or unknown."""
    metadata = obj.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


def qualified_name(obj: Object) -> str:
    """Official behaviour: util.go fqName: `namespace/name`, or `name` without a namespace."""
    namespace, name = metadata_text(obj, "namespace"), metadata_text(obj, "name")
    return f"{namespace}/{name}" if namespace else name


def parse_identifier(identifier: str) -> tuple[str, str]:
    """Official behaviour: util.go parseFqName: namespace (may be empty) and name of a resource ID."""
    parts = identifier.split("/")
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def is_named(obj: Object) -> bool:
    """Whether the user named the object; a name not known yet counts (metadata.AssignNameIfAutonamable)."""
    metadata = obj.get("metadata")
    if metadata is UNKNOWN:
        return True
    if not isinstance(metadata, dict):
        return False
    return any(metadata.get(key) not in (None, "") for key in ("name", "generateName"))


def is_autonamed(obj: Object) -> bool:
    """Whether the provider made the name (metadata.IsAutonamed)."""
    return is_true(obj, AUTONAMED)


def _set_name(obj: Object, name: str) -> None:
    metadata = metadata_of(obj)
    metadata["name"] = name
    annotations = metadata.get("annotations")
    if annotations is UNKNOWN:
        return
    metadata["annotations"] = {**(annotations or {}), AUTONAMED: "true"}


def assign_name(obj: Object, logical_name: str, seed: bytes, wish: Autonaming | None) -> None:
    """Names an unnamed object in place, and annotates it.

    Official behaviour: metadata/naming.go AssignNameIfAutonamable: `<logical name>-<8 hex digits of the seed>`,
    or the name that the engine proposes.

    Raises:
        ProviderError: the engine's autonaming is disabled.
    """
    if is_named(obj):
        return
    if wish is not None and wish.disabled:
        raise ProviderError("autonaming is disabled, resource requires the .metadata.name field to be set")
    if wish is not None and wish.proposed_name:
        _set_name(obj, wish.proposed_name)
        return
    digest = hashlib.sha256(seed).hexdigest() if seed else os.urandom(8).hex()
    _set_name(obj, f"{logical_name}-{digest[:8]}")


def adopt_old_name(obj: Object, old: Object) -> None:
    """Keeps the name that an earlier run made (metadata.AdoptOldAutonameIfUnnamed)."""
    if not is_named(obj) and is_autonamed(old):
        _set_name(obj, metadata_text(old, "name"))
