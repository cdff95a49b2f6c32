"""The annotations that steer the provider. All are really stored on the object."""

from __future__ import annotations

from typing import Final

from simulator.kubernetes_provider.properties import UNKNOWN, Object

AUTONAMED: Final = "pulumi.com/autonamed"
SKIP_AWAIT: Final = "pulumi.com/skipAwait"
WAIT_FOR: Final = "pulumi.com/waitFor"
TIMEOUT_SECONDS: Final = "pulumi.com/timeoutSeconds"
REPLACE_UNREADY: Final = "pulumi.com/replaceUnready"
PATCH_FORCE: Final = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER: Final = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION_POLICY: Final = "pulumi.com/deletionPropagationPolicy"
HELM_HOOK: Final = "helm.sh/hook"

_DEFAULT_TIMEOUT_SECONDS: Final = 600.0


def annotations_of(obj: Object) -> dict[str, str]:
    """The known annotations of an object."""
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict):
        return {}
    return {key: value for key, value in annotations.items() if value is not UNKNOWN}


def value_of(obj: Object, key: str) -> str:
    """The value of an annotation, or an empty string."""
    value = annotations_of(obj).get(key)
    return value if isinstance(value, str) else ""


def is_true(obj: Object, key: str) -> bool:
    """Whether a switch is on. Official behaviour: metadata.IsAnnotationTrue, only the string "true" counts."""
    return value_of(obj, key) == "true"


def timeout_seconds(custom: float, obj: Object, default: float = _DEFAULT_TIMEOUT_SECONDS) -> float:
    """Official behaviour: metadata.TimeoutDuration: customTimeouts, else the annotation, else 10 minutes."""
    if custom > 0:
        return custom
    text = value_of(obj, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() and int(text) > 0 else default


def deletion_propagation(obj: Object) -> str:
    """Official behaviour: metadata.DeletionPropagation: orphan, background or foreground, any case."""
    policies = {"orphan": "Orphan", "background": "Background", "foreground": "Foreground"}
    return policies.get(value_of(obj, DELETION_PROPAGATION_POLICY).lower(), "Foreground")
