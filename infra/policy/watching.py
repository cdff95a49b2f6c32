"""An endpoint that is watched can be read by its watcher."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.policy.subject import Object, Pod, Rule, Subject, Violation, namespace_of, violation, whole

_NAMESPACE, _NAME = "kubernetes.io/metadata.name", "app.kubernetes.io/name"
# Where each kind of monitor has its ports, and the label of the pods that read it.
_MONITORS = {"PodMonitoring": ("endpoints", "collector"), "PodMonitor": ("podMetricsEndpoints", "prometheus")}
_COLLECTORS_IN = "gmp-system"


def _read(subject: Subject) -> Iterator[Violation]:
    monitors = list(subject.of_kind(*_MONITORS))
    watched = subject.plan is not None and subject.plan.watch.kind != "none"
    for pod, _ in subject.serving:
        own = [one for one in monitors if namespace_of(one) == namespace_of(pod.owner) and _selected(one, pod)]
        if (watched or monitors) and not own:
            yield pod.violation("metadata.labels", "no monitor selects these pods")
        for monitor in own:
            yield from _reached(subject, monitor, pod)


def _selected(monitor: Object, pod: Pod) -> bool:
    return _matches((monitor.get("spec") or {}).get("selector") or {}, pod.metadata.get("labels") or {})


def _reached(subject: Subject, monitor: Object, pod: Pod) -> Iterator[Violation]:
    field, reader = _MONITORS[str(monitor.get("kind"))]
    ports = {
        key: whole(port.get("containerPort"))
        for one in pod.containers
        for port in one.body.get("ports") or []
        for key in (str(port.get("name")), str(port.get("containerPort")))
    }
    for index, endpoint in enumerate((monitor.get("spec") or {}).get(field) or []):
        path, asked = f"spec.{field}[{index}].port", str(endpoint.get("port", endpoint.get("portNumber")))
        if asked not in ports:
            yield violation(monitor, path, f"no container of {_owner(pod)} has it")
        elif not _admitted(subject, monitor, pod, {_NAME: reader}, ports[asked]):
            yield violation(monitor, path, f"no NetworkPolicy admits a {reader} to {ports[asked]}")


def _owner(pod: Pod) -> str:
    return str(pod.owner.get("kind"))


def _admitted(subject: Subject, monitor: Object, pod: Pod, labels: dict[str, str], port: int) -> bool:
    """Whether some policy that selects the pod lets the reader in, or none selects it."""
    namespace = _COLLECTORS_IN
    if monitor.get("kind") == "PodMonitor":
        namespace = subject.plan.watch.namespace if subject.plan else ""
    closing = [
        one.get("spec") or {}
        for one in subject.of_kind("NetworkPolicy")
        if namespace_of(one) == namespace_of(pod.owner)
        and _matches((one.get("spec") or {}).get("podSelector") or {}, pod.metadata.get("labels") or {})
    ]
    return not closing or any(
        any(whole(one.get("port")) == port for one in entry.get("ports") or [{"port": port}])
        and (not entry.get("from") or any(_is_reader(peer, namespace, labels) for peer in entry["from"]))
        for spec in closing
        for entry in spec.get("ingress") or []
    )


def _is_reader(peer: Object, namespace: str, labels: dict[str, str]) -> bool:
    """Whether a peer is the reader's pods; of an unknown namespace those in any."""
    where = peer.get("namespaceSelector")
    inside = where is not None and (not namespace or _matches(where, {_NAMESPACE: namespace}))
    return inside and _matches(peer.get("podSelector") or {}, labels)


def _matches(selector: Object, labels: dict[str, str]) -> bool:
    pairs: dict[str, Any] = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in pairs.items()) and all(
        _holds(one, labels) for one in selector.get("matchExpressions") or []
    )


def _holds(one: Object, labels: dict[str, str]) -> bool:
    value, values = labels.get(str(one.get("key"))), one.get("values") or []
    tests = {"In": value in values, "NotIn": value not in values, "Exists": value is not None}
    return tests.get(str(one.get("operator")), value is None)


RULES = (
    Rule(
        "metrics-read",
        "A monitor selects the pods that serve, at a port they have, and the network admits its reader to that port.",
        "medium",
        True,
        _read,
    ),
)
