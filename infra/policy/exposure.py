"""Nobody comes in but those who are named: networks, Services, gateways, routes, and rights on the cluster's API."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from infra.policy.subject import Object, Rule, Subject, Violation, violation

_WIDEST_PREFIX = {4: 8, 6: 32}  # a wider range is everybody
_CERTIFICATE_MAP = "networking.gke.io/certmap"
_CERTIFICATE_OPTIONS = ("networking.gke.io/pre-shared-certs", "networking.gke.io/cert-manager-certs")
_API_PATH = re.compile(r"/v1(/[A-Za-z0-9._:-]+)*/?")
_READING = {"get", "list", "watch"}


def _spec(one: Object) -> Object:
    return one.get("spec") or {}


def _admits_named(subject: Subject) -> Iterator[Violation]:
    for policy in subject.of_kind("NetworkPolicy"):
        for index, entry in enumerate(_spec(policy).get("ingress") or []):
            path = f"spec.ingress[{index}]"
            if entry.get("from") and not entry.get("ports"):
                yield violation(policy, f"{path}.ports", "must name ports; left out it means all")
            for place, peer in enumerate(entry.get("from") or []):
                if _is_everyone(peer):
                    yield violation(
                        policy, f"{path}.from[{place}]", "admits everyone; name pods, or a range of addresses"
                    )


def _is_everyone(peer: Object) -> bool:
    """Whether a peer is every pod of every namespace, or a range too wide to be anybody's own."""
    if peer.get("ipBlock"):
        try:
            network = ipaddress.ip_network(str(peer["ipBlock"].get("cidr")), strict=False)
        except ValueError:
            return True
        return network.prefixlen < _WIDEST_PREFIX[network.version]
    namespaces, pods = peer.get("namespaceSelector"), peer.get("podSelector")
    if namespaces is None:
        return pods is None
    return not _chooses(namespaces) and not _chooses(pods or {})


def _chooses(selector: Object) -> bool:
    return bool(selector.get("matchLabels") or selector.get("matchExpressions"))


def _inside(subject: Subject) -> Iterator[Violation]:
    for service in subject.of_kind("Service"):
        spec = _spec(service)
        inside = spec.get("type") == "ExternalName" and str(spec.get("externalName")).endswith(".svc.cluster.local")
        if spec.get("type", "ClusterIP") != "ClusterIP" and not inside:
            yield violation(service, "spec.type", f"is {spec['type']}; must be ClusterIP: a gateway is the way in")
        if spec.get("externalIPs"):
            yield violation(service, "spec.externalIPs", "must not be set")
    for ingress in subject.of_kind("Ingress"):
        yield violation(ingress, "kind", "must not be; a Gateway with TLS is the way in")


def _encrypted(subject: Subject) -> Iterator[Violation]:
    for gateway in subject.of_kind("Gateway"):
        annotations = (gateway.get("metadata") or {}).get("annotations") or {}
        for index, listener in enumerate(_spec(gateway).get("listeners") or []):
            path, tls = f"spec.listeners[{index}]", listener.get("tls") or {}
            if listener.get("protocol") != "HTTPS":
                yield violation(gateway, f"{path}.protocol", "must be HTTPS")
            elif tls.get("mode", "Terminate") != "Terminate":
                yield violation(gateway, f"{path}.tls.mode", "must be Terminate")
            elif not _has_certificate(tls, annotations):
                yield violation(gateway, f"{path}.tls", "must refer to a certificate, by Secret, option or map")
            routes = ((listener.get("allowedRoutes") or {}).get("namespaces") or {}).get("from", "Same")
            if routes != "Same":
                yield violation(gateway, f"{path}.allowedRoutes", "must take routes of its own namespace alone")


def _has_certificate(tls: Object, annotations: Object) -> bool:
    options = tls.get("options") or {}
    named = any(options.get(one) for one in _CERTIFICATE_OPTIONS)
    return bool(tls.get("certificateRefs") or named or annotations.get(_CERTIFICATE_MAP))


def _to_the_api(subject: Subject) -> Iterator[Violation]:
    for route in subject.of_kind("HTTPRoute"):
        spec = _spec(route)
        if not spec.get("hostnames"):
            yield violation(route, "spec.hostnames", "must name the endpoint's own")
        for index, parent in enumerate(spec.get("parentRefs") or [{}]):
            if not parent.get("sectionName"):
                yield violation(route, f"spec.parentRefs[{index}].sectionName", "must name the HTTPS listener")
        for index, rule in enumerate(spec.get("rules") or [{}]):
            yield from _route_rule(route, f"spec.rules[{index}]", rule)


def _route_rule(route: Object, path: str, rule: Object) -> Iterator[Violation]:
    for place, match in enumerate(rule.get("matches") or [{}]):
        found = match.get("path") or {}
        if found.get("type") not in ("Exact", "PathPrefix") or not _API_PATH.fullmatch(str(found.get("value", ""))):
            yield violation(route, f"{path}.matches[{place}].path", "must be /v1 or below, as a prefix or exact")
    for where, holder in (
        ("", rule),
        *((f".backendRefs[{i}]", one) for i, one in enumerate(rule.get("backendRefs") or [])),
    ):
        if holder.get("filters"):
            yield violation(route, f"{path}{where}.filters", "must not be: they could add a key or change a path")


def _few_rights(subject: Subject) -> Iterator[Violation]:
    for one in subject.of_kind("ClusterRole", "ClusterRoleBinding"):
        yield violation(one, "kind", "must not be; a Role is for one namespace")
    for role in subject.of_kind("Role"):
        for index, rule in enumerate(role.get("rules") or []):
            more: list[Any] = sorted(set(rule.get("verbs") or []) - _READING)
            if more:
                yield violation(
                    role, f"rules[{index}].verbs", f"has {', '.join(more)}; only get, list and watch may be"
                )
            for field in ("apiGroups", "resources"):
                if "*" in (rule.get(field) or []):
                    yield violation(role, f"rules[{index}].{field}", "must be named, not *")
            if any(str(what).split("/")[0] == "secrets" for what in rule.get("resources") or []):
                yield violation(role, f"rules[{index}].resources", "must not have secrets")


RULES = (
    Rule(
        "network-named",
        "A NetworkPolicy admits named pods and ranges of addresses to named ports, never everyone.",
        "critical",
        False,
        _admits_named,
    ),
    Rule("service-inside", "No Service or Ingress is reached from outside the cluster.", "critical", False, _inside),
    Rule(
        "gateway-encrypted",
        "A Gateway listens for HTTPS alone, with a certificate by reference, for routes of its own namespace.",
        "critical",
        False,
        _encrypted,
    ),
    Rule(
        "route-to-api",
        "An HTTPRoute leads to paths from `/v1` on, for named hosts, at a named listener, and changes no request.",
        "high",
        False,
        _to_the_api,
    ),
    Rule("few-rights", "A Role reads named kinds that are no Secrets, in one namespace.", "high", False, _few_rights),
)
