"""What a NetworkPolicy lets through after a change that it did not let through before, in words."""

from __future__ import annotations

import pytest

from infra.review.network import widened


def policy(*ingress: object, **more: object) -> dict[str, object]:
    spec = {"policyTypes": ["Ingress", "Egress"], "podSelector": {}, "ingress": list(ingress), **more}
    return {"kind": "NetworkPolicy", "metadata": {"name": "one"}, "spec": spec}


def _block(cidr: str) -> dict[str, object]:
    return {"ipBlock": {"cidr": cidr}}


POD, PORT = {"podSelector": {"matchLabels": {"a": "b"}}}, {"port": 8090, "protocol": "TCP"}
RULE = {"from": [POD], "ports": [PORT]}


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        (policy(RULE), policy(RULE), 0),
        (policy(RULE), policy(), 0),
        (policy(), policy(RULE), 1),
        (policy(RULE), policy({"from": [POD], "ports": [PORT, {"port": 9}]}), 1),
        (policy(RULE), policy({"from": [POD]}), 1),
        (policy(RULE), policy({"ports": [PORT]}), 1),
        (policy({}), policy(RULE), 0),
        (policy({"from": [POD]}), policy(RULE), 0),
        (policy(RULE), policy(RULE, policyTypes=["Ingress"]), 1),
        (policy(RULE), policy(RULE, egress=[{"to": [POD]}]), 1),
        (policy(RULE), policy(RULE, podSelector={"matchLabels": {"x": "y"}}), 1),
        (policy({"from": [_block("10.0.0.0/8")]}), policy({"from": [_block("10.1.0.0/16")]}), 0),
        (policy({"from": [_block("10.1.0.0/16")]}), policy({"from": [_block("10.0.0.0/8")]}), 1),
        (
            policy({"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.2.0.0/16"]}}]}),
            policy({"from": [_block("10.0.0.0/8")]}),
            1,
        ),
    ],
)
def test_a_policy_is_wider_where_it_lets_more_through(before: dict, after: dict, wider: int) -> None:  # type: ignore[type-arg]
    assert len(widened([before], [after])) == wider


@pytest.mark.parametrize(
    ("peer", "said"),
    [
        ({"namespaceSelector": {}}, "all pods of every namespace may call it now"),
        ({"namespaceSelector": {"matchLabels": {"team": "a"}}}, "all pods of namespaces with team=a may call it now"),
        ({"podSelector": {}}, "all pods of its own namespace may call it now"),
        (_block("0.0.0.0/0"), "addresses 0.0.0.0/0 may call it now"),
        (
            {"podSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}},
            "pods with a In b, c of its own namespace may call it now",
        ),
    ],
)
def test_who_may_call_is_said_in_words(peer: dict[str, object], said: str) -> None:
    (found,) = widened([policy()], [policy({"from": [peer], "ports": [PORT]})])
    assert found == f"{said}, at port 8090 (NetworkPolicy one)"


def test_a_policy_that_is_deleted_is_wider() -> None:
    assert widened([policy(RULE)], []) == ["NetworkPolicy one is deleted"]
