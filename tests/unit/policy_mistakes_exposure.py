"""Mistakes that let strangers in, each with the one rule that it breaks; and ways in that break none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.unit.policy_case import Case, policy, put

LISTENER = {
    "name": "https",
    "port": 443,
    "protocol": "HTTPS",
    "tls": {"certificateRefs": [{"name": "tls"}]},
    "allowedRoutes": {"namespaces": {"from": "Same"}},
}
RULE = {
    "matches": [{"path": {"type": "PathPrefix", "value": "/v1"}}],
    "backendRefs": [{"name": "x", "port": 8090}],
}
ROUTE = {"parentRefs": [{"name": "x", "sectionName": "https"}], "hostnames": ["x.example.com"], "rules": [RULE]}
READS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}
EVERY_POD = {"namespaceSelector": {}, "podSelector": {}}


def peer(**body: Any) -> Callable[[Case], object]:
    return lambda case: policy(case)["ingress"][0]["from"].append(body)


def service(**changes: Any) -> Callable[[Case], object]:
    return lambda case: case.one("Service")["spec"].update(changes)


def gateway(annotations: dict[str, str] | None = None, **changes: Any) -> Callable[[Case], object]:
    listener = {key: value for key, value in (LISTENER | changes).items() if value is not None}
    metadata = {"name": "x", "annotations": annotations or {}}
    return lambda case: case.add("Gateway", metadata=metadata, spec={"listeners": [LISTENER, listener]})


def route(**changes: Any) -> Callable[[Case], object]:
    return lambda case: case.add("HTTPRoute", spec=ROUTE | changes)


def rule(**changes: Any) -> Callable[[Case], object]:
    return route(rules=[RULE, RULE | changes])


def path(kind: str, value: str) -> Callable[[Case], object]:
    return rule(matches=[{"path": {"type": kind, "value": value}}])


def role(**changes: Any) -> Callable[[Case], object]:
    return lambda case: case.add("Role", rules=[READS, READS | changes])


EXPOSURE_MISTAKES: dict[str, tuple[str, Callable[[Case], object]]] = {
    "every pod comes in": ("network-named", peer(**EVERY_POD)),
    "every namespace comes in": ("network-named", peer(namespaceSelector={})),
    "the internet comes in": ("network-named", peer(ipBlock={"cidr": "0.0.0.0/0"})),
    "half of the internet comes in": ("network-named", peer(ipBlock={"cidr": "128.0.0.0/1"})),
    "most of the internet comes in": (
        "network-named",
        peer(ipBlock={"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}),
    ),
    "the other internet comes in": ("network-named", peer(ipBlock={"cidr": "::/0"})),
    "a range that is none": ("network-named", peer(ipBlock={"cidr": "everywhere"})),
    "an empty peer": ("network-named", peer()),
    "every port is open": ("network-named", lambda case: policy(case)["ingress"][0].pop("ports")),
    "load balancer": ("service-inside", service(type="LoadBalancer")),
    "node port": ("service-inside", service(type="NodePort")),
    "another name": ("service-inside", service(type="ExternalName", externalName="evil.example.com")),
    "external address": ("service-inside", service(externalIPs=["203.0.113.1"])),
    "ingress": ("service-inside", lambda case: case.add("Ingress", spec={})),
    "plain HTTP": ("gateway-encrypted", gateway(protocol="HTTP", port=80, tls=None)),
    "plain TCP": ("gateway-encrypted", gateway(protocol="TCP", tls=None)),
    "no certificate": ("gateway-encrypted", gateway(tls={"mode": "Terminate"})),
    "no TLS at all": ("gateway-encrypted", gateway(tls=None)),
    "an empty certificate option": (
        "gateway-encrypted",
        gateway(tls={"options": {"networking.gke.io/pre-shared-certs": ""}}),
    ),
    "passed through": ("gateway-encrypted", gateway(tls={"mode": "Passthrough"})),
    "routes of everyone": ("gateway-encrypted", gateway(allowedRoutes={"namespaces": {"from": "All"}})),
    "route to everything": ("route-to-api", path("PathPrefix", "/")),
    "route to metrics": ("route-to-api", path("Exact", "/metrics")),
    "route to a neighbour": ("route-to-api", path("PathPrefix", "/v1beta")),
    "route by pattern": ("route-to-api", path("RegularExpression", "/v1.*")),
    "route that climbs": ("route-to-api", path("PathPrefix", "/v1//..")),
    "route without a path": ("route-to-api", rule(matches=[{"headers": []}])),
    "route without a match": ("route-to-api", rule(matches=[])),
    "route that adds a key": (
        "route-to-api",
        rule(filters=[{"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": []}}]),
    ),
    "backend that rewrites": (
        "route-to-api",
        rule(backendRefs=[{"name": "x", "filters": [{"type": "URLRewrite"}]}]),
    ),
    "route for any host": ("route-to-api", route(hostnames=[])),
    "route at any listener": ("route-to-api", route(parentRefs=[{"name": "x"}])),
    "route without a gateway": ("route-to-api", route(parentRefs=[])),
    "a Role that writes": ("few-rights", role(verbs=["get", "create"])),
    "a Role for everything": ("few-rights", role(resources=["*"])),
    "a Role of every group": ("few-rights", role(apiGroups=["*"])),
    "a Role that reads Secrets": ("few-rights", role(resources=["secrets"])),
    "rights on the whole cluster": ("few-rights", lambda case: case.add("ClusterRole", rules=[READS])),
    "bound on the whole cluster": ("few-rights", lambda case: case.add("ClusterRoleBinding")),
}
EXPOSURE_ALLOWED: dict[str, Callable[[Case], object]] = {
    "a range of addresses": peer(ipBlock={"cidr": "10.129.0.0/23"}),
    "pods of one namespace": peer(namespaceSelector={"matchLabels": {"kubernetes.io/metadata.name": "search"}}),
    "pods of the own namespace": peer(podSelector={}),
    "a gateway with a Secret": gateway(),
    "a gateway with a certificate map": gateway({"networking.gke.io/certmap": "map"}, tls=None),
    "a gateway with a Google certificate": gateway(tls={"options": {"networking.gke.io/pre-shared-certs": "one"}}),
    "a route": route(),
    "a route to one path": path("Exact", "/v1/chat/completions"),
    "a Role that reads pods": role(),
    "a Service of another name inside": service(type="ExternalName", externalName="a.b.svc.cluster.local"),
    "a Service without a type": put(lambda case: case.one("Service")["spec"], "type", "ClusterIP"),
}
