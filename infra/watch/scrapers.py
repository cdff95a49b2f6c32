"""Who may read an endpoint's metrics, as peers of a NetworkPolicy."""

from __future__ import annotations

from typing import Any

from infra.plan.watching import MANAGED, OPERATOR, Watch

_NAMESPACE = "kubernetes.io/metadata.name"
# Managed Prometheus collects from one of two namespaces: of Standard and Autopilot clusters (prometheus-engine 0.17.2).
_COLLECTORS = {
    "namespaceSelector": {
        "matchExpressions": [{"key": _NAMESPACE, "operator": "In", "values": ["gmp-system", "gke-gmp-system"]}]
    },
    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "collector"}},
}


def scrapers(watch: Watch) -> tuple[dict[str, Any], ...]:
    """Peers of the kind of monitoring; empty where nothing scrapes."""
    if watch.kind == MANAGED:
        return (_COLLECTORS,)
    if watch.kind != OPERATOR:
        return ()
    prometheus = {
        "namespaceSelector": {"matchLabels": {_NAMESPACE: watch.namespace}},
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "prometheus"}},
    }
    return (prometheus,)
