"""When the pods of a namespace were scheduled and ready, by their own conditions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from simulator.home import Home


@dataclass(frozen=True)
class PodTimes:
    """How many pods there are and how far they got; seconds until the last was scheduled, None where not all were."""

    wanted: int = 0
    scheduled: int = 0
    ready: int = 0
    scheduled_seconds: float | None = None


def pod_times(home: Home, context: str, namespace: str, began: float) -> PodTimes:
    """Read them; conditions have whole seconds.

    Args:
        home: of the simulator.
        context: of the cluster.
        namespace: of the stack.
        began: Unix time from which seconds are counted.
    """
    import kubernetes

    if not home.kubeconfig.exists() or not context:
        return PodTimes()
    try:
        client = kubernetes.config.new_client_from_config(str(home.kubeconfig), context)
        pods = kubernetes.client.CoreV1Api(client).list_namespaced_pod(namespace, _request_timeout=10).items
    except (OSError, kubernetes.client.ApiException, kubernetes.config.ConfigException):
        return PodTimes()
    scheduled = [found for pod in pods if (found := _since(pod, "PodScheduled")) is not None]
    ready = sum(_since(pod, "Ready") is not None for pod in pods)
    complete = bool(pods) and len(scheduled) == len(pods)
    seconds = round(max(0.0, max(scheduled).timestamp() - began), 1) if complete else None
    return PodTimes(len(pods), len(scheduled), ready, seconds)


def _since(pod: object, kind: str) -> datetime | None:
    conditions = getattr(getattr(pod, "status", None), "conditions", None) or []
    return next((one.last_transition_time for one in conditions if one.type == kind and one.status == "True"), None)
