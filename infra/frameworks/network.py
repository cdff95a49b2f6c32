"""Who may reach an endpoint's pods, as peers of NetworkPolicies. What is not named here is kept out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infra.frameworks.autoscaling import KEDA_NAMESPACE
from infra.frameworks.pod import SERVER_COMPONENT, WORKER_COMPONENT
from infra.plan.exposure import ClientPods
from infra.plan.serving_plan import ServingPlan
from infra.watch.scrapers import scrapers

Peer = dict[str, Any]

PICKER_COMPONENT = "endpoint-picker"
_NAMESPACE = "kubernetes.io/metadata.name"

# It holds requests while there is no replica.
_INTERCEPTOR = {
    "namespaceSelector": {"matchLabels": {_NAMESPACE: KEDA_NAMESPACE}},
    "podSelector": {"matchLabels": {"app.kubernetes.io/component": "interceptor"}},
}


@dataclass(frozen=True)
class Network:
    """Peers of the endpoint's NetworkPolicy.

    Attributes:
        callers: who may reach the proxy: client pods, gateways, and KEDA's interceptor where there may be
            no replica.
        scrapers: who may read metrics: the platform's Prometheus, and the endpoint picker.
        group: the other pods of a replica, where it is several machines: each reaches each.
    """

    callers: tuple[Peer, ...]
    scrapers: tuple[Peer, ...]
    group: tuple[Peer, ...]


def network(plan: ServingPlan) -> Network:
    """Who may reach the pods of one endpoint."""
    labelled = {"namespaceSelector": {}, "podSelector": {"matchLabels": {"servestack.dev/client-of": plan.stack}}}
    gateway = plan.exposure.gateway
    picked = plan.exposure.routing == "inference-pool"
    return Network(
        callers=(
            labelled,
            *map(_client, plan.exposure.clients),
            *map(block, gateway.source_ranges if gateway else ()),
            *((_client(gateway.proxies),) if gateway and gateway.proxies else ()),
            *((_INTERCEPTOR,) if plan.scaling and plan.scaling.idle_seconds is not None else ()),
        ),
        scrapers=(
            *scrapers(plan.watch),
            *(({"podSelector": {"matchLabels": selector(plan, PICKER_COMPONENT)}},) if picked else ()),
        ),
        group=_group(plan) if plan.accelerator.nodes > 1 else (),
    )


def _group(plan: ServingPlan) -> tuple[Peer, ...]:
    labels = {"matchLabels": {"app.kubernetes.io/instance": plan.stack}}
    components = {
        "key": "app.kubernetes.io/component",
        "operator": "In",
        "values": [SERVER_COMPONENT, WORKER_COMPONENT],
    }
    return ({"podSelector": {**labels, "matchExpressions": [components]}},)


def block(cidr: str, *, beside: tuple[str, ...] = ()) -> Peer:
    """Addresses of a range, but for those of other ranges."""
    return {"ipBlock": {"cidr": cidr, "except": list(beside)} if beside else {"cidr": cidr}}


def selector(plan: ServingPlan, component: str) -> dict[str, str]:
    """Labels that find one kind of an endpoint's pods."""
    return {"app.kubernetes.io/instance": plan.stack, "app.kubernetes.io/component": component}


def _client(pods: ClientPods) -> Peer:
    namespaces = {"namespaceSelector": {"matchLabels": {_NAMESPACE: pods.namespace}}}
    return {**namespaces, "podSelector": {"matchLabels": dict(pods.labels)}} if pods.labels else namespaces
