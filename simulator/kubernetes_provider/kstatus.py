"""How far an object has come, in the words of the kstatus library.

Official behaviour: sigs.k8s.io/cli-utils/pkg/kstatus/status, which the official provider uses for DaemonSets, for
deletions, and for every other kind under PULUMI_K8S_AWAIT_ALL. Only what these need is here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.kubernetes_provider.properties import Object


class Progress(NamedTuple):
    """Whether an object is current, and the text that says what it waits for."""

    current: bool
    message: str


def progress(obj: Object) -> Progress:
    """How far an object has come."""
    metadata: dict[str, Any] = obj.get("metadata") or {}
    status: dict[str, Any] = obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return Progress(False, "Resource scheduled for deletion")
    observed, generation = status.get("observedGeneration"), metadata.get("generation")
    if observed is not None and generation is not None and observed != generation:
        kind = obj.get("kind")
        return Progress(False, f"{kind} generation is {generation}, but latest observed generation is {observed}")
    if obj.get("kind") == "DaemonSet" and str(obj.get("apiVersion")).startswith("apps/"):
        return _daemon_set(status)
    for condition in status.get("conditions") or []:
        kind, holds = condition.get("type"), condition.get("status") == "True"
        if kind in ("Reconciling", "Stalled") and holds:
            return Progress(False, str(condition.get("message") or ""))
        if kind == "Ready" and not holds:
            return Progress(False, str(condition.get("message") or ""))
    return Progress(True, "Resource is current")


def _daemon_set(status: dict[str, Any]) -> Progress:
    if "observedGeneration" not in status:
        return Progress(False, "Missing .status.observedGeneration")
    if "desiredNumberScheduled" not in status:
        return Progress(False, "Missing .status.desiredNumberScheduled")
    wanted = status["desiredNumberScheduled"]
    for label, key in (
        ("Current", "currentNumberScheduled"),
        ("Updated", "updatedNumberScheduled"),
        ("Available", "numberAvailable"),
        ("Ready", "numberReady"),
    ):
        have = status.get(key) or 0
        if have < wanted:
            return Progress(False, f"{label}: {have}/{wanted}")
    return Progress(True, f"All replicas scheduled as expected. Replicas: {wanted}")
