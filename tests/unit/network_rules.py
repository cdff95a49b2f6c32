"""NetworkPolicies as Kubernetes documents them, decided packet by packet: the oracle of the network tests.

A pod that some policy of a direction selects is closed in that direction, but for what any of these policies admits
(kubernetes.io, Concepts, Network Policies). A range of addresses matches pods in it as well.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
_OPERATORS = {
    "In": lambda labels, key, values: labels.get(key) in values,
    "NotIn": lambda labels, key, values: labels.get(key) not in values,
    "Exists": lambda labels, key, _values: key in labels,
    "DoesNotExist": lambda labels, key, _values: key not in labels,
}


@dataclass(frozen=True)
class Party:
    """One end of a connection: a pod where it has a namespace, else an address."""

    name: str
    address: str
    namespace: str | None = None
    labels: dict[str, str] = field(default_factory=dict, hash=False)


def selects(selector: Object, labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels", "matchExpressions"}, selector
    pairs = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in pairs.items()) and all(
        _OPERATORS[one["operator"]](labels, one["key"], one.get("values", []))
        for one in selector.get("matchExpressions", [])
    )


def admitted(policies: list[Object], source: Party, target: Party, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is made: its source may leave and its target may be entered."""
    leaves = _allows(policies, "Egress", source, target, port, protocol)
    return leaves and _allows(policies, "Ingress", target, source, port, protocol)


def _allows(policies: list[Object], way: str, here: Party, there: Party, port: int, protocol: str) -> bool:
    if here.namespace is None:
        return True  # no policy is for what is no pod
    own = [
        (one["metadata"]["namespace"], one["spec"])
        for one in policies
        if one["metadata"]["namespace"] == here.namespace
        and way in one["spec"]["policyTypes"]
        and selects(one["spec"]["podSelector"], here.labels)
    ]
    entries, peers = way.lower(), "from" if way == "Ingress" else "to"
    return not own or any(
        _matches(entry.get(peers), namespace, there) and _port(entry.get("ports"), port, protocol)
        for namespace, spec in own
        for entry in spec.get(entries, [])
    )


def _port(ports: list[Object] | None, port: int, protocol: str) -> bool:
    return not ports or any(
        one.get("protocol", "TCP") == protocol and one["port"] <= port <= one.get("endPort", one["port"])
        for one in ports
    )


def _matches(peers: list[Object] | None, namespace: str, party: Party) -> bool:
    return not peers or any(_peer(one, namespace, party) for one in peers)


def _peer(peer: Object, namespace: str, party: Party) -> bool:
    if "ipBlock" in peer:
        assert set(peer) == {"ipBlock"}, peer
        address, block = ipaddress.ip_address(party.address), peer["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and not any(
            address in ipaddress.ip_network(one) for one in block.get("except", [])
        )
    if party.namespace is None:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], {"kubernetes.io/metadata.name": party.namespace}):
            return False
    elif party.namespace != namespace:
        return False
    return selects(peer.get("podSelector", {}), party.labels)
