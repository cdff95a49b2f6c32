"""What NetworkPolicies let through after a change that they did not let through before."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Sequence
from typing import Any

_ANY = {"any": True}
_NAMESPACE = "kubernetes.io/metadata.name"
Way = tuple[str, str, str]  # `from` or `to`, the peer and the port as JSON


def widened(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], own: str = "") -> list[str]:
    """One line for each new way through a policy, and for each policy that no longer selects or is no longer there.

    Args:
        before: objects of one stack.
        after: those that take their place.
        own: the stack's name; ways between its own pods, as a replica of several machines has, are no danger.
    """
    old, new = _policies(before), _policies(after)
    found = [f"NetworkPolicy {name} is deleted" for name in old if name not in new]
    for name in (name for name in new if name in old):
        had = list(_ways(old[name]))
        found += [
            f"{_said(way)} (NetworkPolicy {name})"
            for way in _ways(new[name])
            if not _covered(way, had) and not _among_own(way, own)
        ]
        if old[name].get("podSelector") != new[name].get("podSelector"):
            found.append(f"NetworkPolicy {name} selects other pods")
    return list(dict.fromkeys(found))


def _policies(objects: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "NetworkPolicy"}


def _ways(spec: dict[str, Any]) -> Iterator[Way]:
    """Every pair of a peer and a port; a direction that no policy type names is open to all (Kubernetes)."""
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    for kind, key, word in (("Ingress", "ingress", "from"), ("Egress", "egress", "to")):
        rules = (spec.get(key) or []) if kind in types else [{}]
        for rule in rules:
            for peer in rule.get(word) or [_ANY]:
                for port in rule.get("ports") or [_ANY]:
                    yield word, json.dumps(peer, sort_keys=True), json.dumps(port, sort_keys=True)


def _covered(way: Way, had: Sequence[Way]) -> bool:
    """Whether an old way lets all of a new one through."""
    word, peer, port = way
    return any(
        word == side and _within(peer, other) and (port == there or json.loads(there) == _ANY)
        for side, other, there in had
    )


def _within(peer: str, other: str) -> bool:
    if peer == other or json.loads(other) == _ANY:
        return True
    one, wide = json.loads(peer).get("ipBlock"), json.loads(other).get("ipBlock")
    if one is None or wide is None or not set(wide.get("except") or []) <= set(one.get("except") or []):
        return False
    small, large = ipaddress.ip_network(one["cidr"]), ipaddress.ip_network(wide["cidr"])
    return small.version == large.version and small.subnet_of(large)  # type: ignore[arg-type]


def _among_own(way: Way, own: str) -> bool:
    """Whether the peer is the stack's own pods, in its own namespace."""
    peer = json.loads(way[1])
    labels = peer.get("podSelector", {}).get("matchLabels", {}) if set(peer) == {"podSelector"} else {}
    return bool(own) and labels.get("app.kubernetes.io/instance") == own


def _said(way: Way) -> str:
    word, peer, port = way
    found = json.loads(port)
    where = "any port" if found == _ANY else f"port {found.get('port', 'any')}"
    done = "may call it now" if word == "from" else "may be called by it now"
    return f"{_peer(json.loads(peer))} {done}, at {where}"


def _peer(peer: dict[str, Any]) -> str:
    """Who is meant, in words."""
    if peer == _ANY:
        return "anybody"
    block = peer.get("ipBlock")
    if block is not None:
        kept = block.get("except")
        return f"addresses {block['cidr']}{' except ' + ', '.join(kept) if kept else ''}"
    pods, spaces = peer.get("podSelector"), peer.get("namespaceSelector")
    who = f"pods with {_selected(pods)}" if pods else "all pods"
    if spaces is None:
        return f"{who} of its own namespace"
    name = spaces.get("matchLabels", {}).get(_NAMESPACE)
    if name is not None and len(spaces) == len(spaces["matchLabels"]) == 1:
        return f"{who} of namespace {name}"
    return f"{who} of namespaces with {_selected(spaces)}" if spaces else f"{who} of every namespace"


def _selected(selector: dict[str, Any]) -> str:
    words = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    for one in selector.get("matchExpressions", []):
        values = f" {', '.join(one['values'])}" if one.get("values") else ""
        words.append(f"{one['key']} {one['operator']}{values}")
    return " and ".join(words)
