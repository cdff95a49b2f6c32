"""A rendered endpoint with a sidecar, to be spoilt, and the ways to spoil it."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

from infra.judgement import subject
from infra.policy import Subject, violations
from tests.unit.test_golden import ENDPOINTS

SIDECAR = {
    "name": "proxy",
    "image": f"docker.io/library/caddy@sha256:{'0' * 64}",
    "ports": [{"name": "http", "containerPort": 8090}, {"name": "metrics", "containerPort": 8091}],
    "restartPolicy": "Always",
    "env": [{"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "api-key"}}}],
    "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "64Mi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    },
}


class Case:
    """Objects, pool and plan of a real endpoint with a sidecar, for a mutation to change."""

    def __init__(self, name: str = "gemma4-31b-h100") -> None:
        judged = subject(ENDPOINTS[name])
        assert judged.plan
        (pool,) = judged.pools
        self.objects, self.pool, self.plan = copy.deepcopy([*judged.objects]), copy.deepcopy(pool), judged.plan
        self.deployment = self.one("Deployment")["spec"]
        self.pod = self.deployment["template"]["spec"]
        self.pod["initContainers"] = [copy.deepcopy(SIDECAR)]
        self.engine, self.sidecar = self.pod["containers"][0], self.pod["initContainers"][0]
        self.resources = self.engine["resources"]

    def one(self, kind: str) -> Any:
        return next(one for one in self.objects if one["kind"] == kind)

    def drop(self, kind: str) -> None:
        self.objects.remove(self.one(kind))

    def add(self, kind: str, **body: Any) -> None:
        self.objects.append({"kind": kind, "metadata": {"name": "x", "namespace": self.plan.stack}} | body)

    def accelerators(self, number: str) -> None:
        for which in ("requests", "limits"):
            self.resources[which]["nvidia.com/gpu"] = number

    def replan(self, part: str, **changes: Any) -> None:
        self.plan = dataclasses.replace(self.plan, **{part: dataclasses.replace(getattr(self.plan, part), **changes)})

    def found(self) -> dict[str, list[str]]:
        rules: dict[str, list[str]] = {}
        for rule, one in violations(Subject(self.objects, (self.pool,), self.plan)):
            rules.setdefault(rule.name, []).append(str(one))
        return rules


def put(where: Callable[[Case], Any], key: Any, value: Any) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        where(case)[key] = copy.deepcopy(value)

    return change


def cut(where: Callable[[Case], Any], key: Any) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        del where(case)[key]

    return change


def env(name: str, value: str) -> Callable[[Case], object]:
    return lambda case: case.engine["env"].append({"name": name, "value": value})


def args(*words: str) -> Callable[[Case], object]:
    return lambda case: case.engine["args"].extend(words)


def volume(**body: Any) -> Callable[[Case], object]:
    return lambda case: case.pod["volumes"].append({"name": "more"} | body)


def engine(case: Case) -> Any:
    return case.engine


def sidecar(case: Case) -> Any:
    return case.sidecar


def pod(case: Case) -> Any:
    return case.pod


def requests(case: Case) -> Any:
    return case.resources["requests"]


def limits(case: Case) -> Any:
    return case.resources["limits"]


def context(case: Case) -> Any:
    return case.engine["securityContext"]


def pods_context(case: Case) -> Any:
    return case.pod["securityContext"]


def node(case: Case) -> Any:
    return case.pool["nodeConfig"]


def budget(case: Case) -> Any:
    return case.one("PodDisruptionBudget")["spec"]


def policy(case: Case) -> Any:
    return case.one("NetworkPolicy")["spec"]


def namespace(case: Case) -> Any:
    return case.one("Namespace")["metadata"]["labels"]


def autoscaler(case: Case, least: int, most: int, target: str = "") -> None:
    """A HorizontalPodAutoscaler of the Deployment, or of something else."""
    place = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target or case.plan.stack}
    case.add("HorizontalPodAutoscaler", spec={"scaleTargetRef": place, "minReplicas": least, "maxReplicas": most})


def compute_class(case: Case, pool: str) -> None:
    """A ComputeClass of one pool."""
    spec = {"whenUnsatisfiable": "DoNotScaleUp", "priorities": [{"nodepools": [pool]}]}
    case.add("ComputeClass", spec=spec)


def unfixed(case: Case) -> None:
    """A Deployment whose number of replicas is left to an autoscaler."""
    del case.deployment["replicas"]
