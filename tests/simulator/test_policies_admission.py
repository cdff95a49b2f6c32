"""The rules about rights against Kubernetes' own Pod Security: what it refuses, they report."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client

from tests.simulator import dry_run
from tests.simulator.test_rendered_objects import restricted
from tests.unit.policy_case import Case

__all__ = ["restricted"]
RIGHTS = {"no-privilege", "no-host", "not-root", "seccomp"}
CONTEXT: dict[str, list[Any]] = {
    "privileged": [True, False],
    "allowPrivilegeEscalation": [True, False],
    "runAsNonRoot": [True, False],
    "runAsUser": [0, 1000],
    "procMount": ["Default", "Unmasked"],
    "seccompProfile": [{"type": "Unconfined"}, {"type": "RuntimeDefault"}],
    "appArmorProfile": [{"type": "Unconfined"}, {"type": "RuntimeDefault"}],
    "seLinuxOptions": [{"type": "spc_t"}, {"type": "container_t"}, {"user": "u"}, {"level": "s0:c1"}],
    "capabilities": [
        {"drop": ["ALL"]},
        {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
        {"drop": ["ALL"], "add": ["CHOWN"]},
        {},
    ],
}
POD: dict[str, list[Any]] = {
    name: values for name, values in CONTEXT.items() if name[:4] in ("runA", "secc", "seLi", "appA")
} | {"sysctls": [[{"name": "kernel.msgmax", "value": "1"}], [{"name": "net.ipv4.tcp_syncookies", "value": "1"}]]}
SPEC: dict[str, list[Any]] = {
    "hostNetwork": [True],
    "hostPID": [True],
    "hostIPC": [True],
}  # not `hostUsers`: it lets Pod Security allow root, and the rules do not
VOLUMES: list[Any] = [{"hostPath": {"path": "/"}}, {"nfs": {"server": "a", "path": "/"}}, {"emptyDir": {}}]
SEEDS = range(12)
PODS_PER_SEED = 25


def change(case: Case, dice: random.Random) -> None:
    """One random edit of a field that has to do with rights."""
    contexts = [one.setdefault("securityContext", {}) for one in (case.engine, case.sidecar)]
    where, values = dice.choice(
        [*((context, CONTEXT) for context in contexts), (case.pod["securityContext"], POD), (case.pod, SPEC)]
    )
    key = dice.choice(sorted(values))
    if dice.random() < 0.4:
        where.pop(key, None)
    else:
        where[key] = copy.deepcopy(dice.choice(values[key]))
    if dice.random() < 0.1:
        case.pod["volumes"].append({"name": "more", **dice.choice(VOLUMES)})
    if dice.random() < 0.1:
        dice.choice([case.sidecar["ports"][0], case.engine["readinessProbe"]["httpGet"]]).update(
            dice.choice([{"hostPort": 8000}, {"host": "169.254.169.254"}])
        )


def pods(seed: int) -> Iterator[Case]:
    dice = random.Random(seed)
    while True:
        case = Case()
        for _ in range(dice.randint(1, 3)):
            change(case, dice)
        if "host" not in case.sidecar["ports"][0] and "hostPort" not in case.engine["readinessProbe"]["httpGet"]:
            yield case


@pytest.mark.parametrize("seed", SEEDS)
def test_what_pod_security_refuses_breaks_a_rule(seed: int, api: client.ApiClient, restricted: str) -> None:
    refused = 0
    for case, _ in zip(pods(seed), range(PODS_PER_SEED), strict=False):
        spec = copy.deepcopy(case.pod)
        del spec["serviceAccountName"], spec["topologySpreadConstraints"], spec["priorityClassName"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": spec}
        status, _warning, body = dry_run.create(api, pod, restricted)
        if status == 403:
            refused += 1
            assert RIGHTS & set(case.found()), body
        elif status == 201:
            assert not RIGHTS & set(case.found()), case.found()
    assert refused > PODS_PER_SEED / 4
