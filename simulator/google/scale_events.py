"""Events of the cluster autoscaler on pods and nodes, with its wording.

Sources: kubernetes/autoscaler, eventing_scale_up_processor.go; GKE's autoscaler,
failed_scale_up_event_logger.go.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from typing import Any

from simulator.google.kubernetes_api import KubernetesApi, KubernetesError, Object
from simulator.google.nodes import timestamp

_COMPONENT = "cluster-autoscaler"
_FAILED_LIMIT = 250
_REPEAT_SECONDS = 30.0
"""An unchanged event is counted up at most this often."""


def triggered(groups: Iterable[tuple[str, int, int, int]]) -> str:
    """Text of TriggeredScaleUp.

    Args:
        groups: Group URL, nodes before, nodes after and the group's most nodes.
    """
    parts = " ".join(f"{{{url} {before}->{after} (max: {most})}}" for url, before, after, most in groups)
    return f"pod triggered scale-up: [{parts}]"


def failed(zones: Iterable[str], reason: str) -> str:
    """Text of FailedScaleUp, cut as GKE cuts it."""
    text = (
        f"Node scale up in zones {', '.join(sorted(zones))} associated with this pod failed: {reason}. "
        "Pod is at risk of not being scheduled."
    )
    return text[:_FAILED_LIMIT]


def not_triggered(reasons: dict[str, int]) -> str:
    """Text of NotTriggerScaleUp.

    Args:
        reasons: How many node groups were ruled out for each reason.
    """
    parts = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"pod didn't trigger scale-up: {parts}"


class EventRecorder:
    """Posts events, counting up one that repeats, as the Kubernetes recorder does."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._known: dict[str, tuple[int, float]] = {}

    def on(self, target: Object, kind: str, event_type: str, reason: str, message: str) -> None:
        """Record an event.

        Args:
            target: A Pod or Node.
            kind: Its kind.
            event_type: "Normal" or "Warning".
            reason: Such as "TriggeredScaleUp".
            message: The text.
        """
        meta = target["metadata"]
        namespace = meta.get("namespace", "default")
        digest = hashlib.sha256(f"{meta['uid']}|{reason}|{message}".encode()).hexdigest()[:16]
        name = f"{meta['name']}.{digest}"
        path = f"/api/v1/namespaces/{namespace}/events"
        now = time.monotonic()
        count, last = self._known.get(digest, (0, -_REPEAT_SECONDS))
        if now - last < _REPEAT_SECONDS:
            return
        self._known[digest] = (count + 1, now)
        try:
            if count:
                change = {"count": count + 1, "lastTimestamp": timestamp()}
                self._api.request("PATCH", f"{path}/{name}", change, "application/merge-patch+json")
            else:
                self._api.request("POST", path, self._event(name, namespace, target, kind, event_type, reason, message))
        except KubernetesError as error:
            if error.code not in (403, 404, 409):
                raise

    @staticmethod
    def _event(
        name: str, namespace: str, target: Object, kind: str, event_type: str, reason: str, message: str
    ) -> dict[str, Any]:
        meta = target["metadata"]
        involved = {
            "apiVersion": "v1",
            "kind": kind,
            "name": meta["name"],
            "uid": meta["uid"],
            "resourceVersion": meta.get("resourceVersion", ""),
        }
        if "namespace" in meta:
            involved["namespace"] = meta["namespace"]
        now = timestamp()
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": involved,
            "type": event_type,
            "reason": reason,
            "message": message,
            "source": {"component": _COMPONENT},
            "reportingComponent": _COMPONENT,
            "reportingInstance": "",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
