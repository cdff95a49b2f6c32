"""What rules judge: Kubernetes objects, the node pool they run on, and the plan they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from infra.plan.serving_plan import ServingPlan

Object = dict[str, Any]
Severity = Literal["medium", "high", "critical"]
WIDTH = 120
_GROUPS = ("initContainers", "containers", "ephemeralContainers")
_ACCELERATORS = ("nvidia.com/", "google.com/tpu", "amd.com/")


@dataclass(frozen=True)
class Violation:
    """One field of one object that breaks a rule.

    Attributes:
        kind, name: of the object.
        field: path in the object; inside a pod, from its `spec` on.
        message: what is wrong and what would be right; never a value that may be secret.
    """

    kind: str
    name: str
    field: str
    message: str

    def __str__(self) -> str:
        """One line of at most 120 columns; a long path loses its first parts, a long message its end."""
        head, tail = f"{self.kind}/{self.name}: ", f": {self.message}"
        room = WIDTH - len(head) - len(tail)
        field = self.field if len(self.field) <= room else "…" + self.field[-max(room - 1, 1) :]
        line = (head + field + tail).replace("\n", " ")
        return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


@dataclass(frozen=True)
class Container:
    """One container of any group; `path` is such as `containers[vllm]`."""

    path: str
    group: str
    body: Object

    @property
    def security(self) -> Object:
        """Its own security context."""
        return self.body.get("securityContext") or {}

    @property
    def starts_before_and_ends(self) -> bool:
        """Whether it is an init container that is no sidecar."""
        return self.group == "initContainers" and self.body.get("restartPolicy") != "Always"

    def amounts(self, which: str) -> Object:
        """Its `requests` or `limits`."""
        return (self.body.get("resources") or {}).get(which) or {}

    @property
    def accelerators(self) -> dict[str, int]:
        """Accelerators it asks for, by resource name."""
        asked = self.amounts("limits") | self.amounts("requests")
        return {name: number for name in asked if name.startswith(_ACCELERATORS) and (number := whole(asked[name]))}


@dataclass(frozen=True)
class Pod:
    """One pod, or the template of one, with the object that has it.

    Attributes:
        per_replica: how many such pods one replica of the object has.
        helps: whether another pod of its group takes the calls.
    """

    owner: Object
    metadata: Object
    spec: Object
    per_replica: int
    helps: bool = False

    @property
    def security(self) -> Object:
        """The pod's security context."""
        return self.spec.get("securityContext") or {}

    @cached_property
    def containers(self) -> list[Container]:
        """Containers of every group."""
        return [
            Container(f"{group}[{one.get('name', index)}]", group, one)
            for group in _GROUPS
            for index, one in enumerate(self.spec.get(group) or [])
        ]

    @cached_property
    def accelerators(self) -> dict[str, int]:
        """Accelerators that the scheduler counts for it, by resource name."""
        together: dict[str, int] = {}
        before: dict[str, int] = {}
        for container in self.containers:
            for name, number in container.accelerators.items():
                if container.starts_before_and_ends:
                    before[name] = max(before.get(name, 0), number)
                else:
                    together[name] = together.get(name, 0) + number
        names = together.keys() | before.keys()
        return {name: max(together.get(name, 0), before.get(name, 0)) for name in sorted(names)}

    def violation(self, field: str, message: str) -> Violation:
        """A violation in this pod."""
        return violation(self.owner, field, message)


@dataclass(frozen=True)
class Subject:
    """Objects that belong together; what needs pools or plan is skipped where there are none.

    Attributes:
        pools: inputs of the node pools, as the Google provider names them; the pods must run on each.
    """

    objects: Sequence[Object]
    pools: tuple[Object, ...] = ()
    plan: ServingPlan | None = None

    @cached_property
    def pods(self) -> list[Pod]:
        """Every pod and template of one, in any object."""
        return [pod for one in self.objects for pod in _pods(one, one, 1)]

    @cached_property
    def serving(self) -> list[tuple[Pod, list[Container]]]:
        """Pods that serve the model, each with the containers that do.

        They ask for the plan's accelerators; where the plan has none, they are what a probe watches.
        """
        found = []
        for pod in self.pods:
            if pod.helps:
                continue
            lasting = [one for one in pod.containers if not one.starts_before_and_ends]
            if self.plan is not None and not self.plan.accelerator.resource:
                engines = [one for one in lasting if one.body.get("readinessProbe") and one.group == "containers"]
            else:
                engines = [one for one in lasting if one.accelerators]
            if engines:
                found.append((pod, engines))
        return found

    def of_kind(self, *kinds: str) -> Iterator[Object]:
        """Objects of these kinds."""
        return (one for one in self.objects if one.get("kind") in kinds)


@dataclass(frozen=True)
class Rule:
    """One thing that must hold.

    Attributes:
        meaning: one sentence.
        compares: whether it needs several objects, the pool, or both; else one object is enough.
    """

    name: str
    meaning: str
    severity: Severity
    compares: bool
    check: Callable[[Subject], Iterator[Violation]]


def violation(one: Object, field: str, message: str) -> Violation:
    """A violation in an object."""
    return Violation(str(one.get("kind")), name_of(one), field, message)


def name_of(one: Object) -> str:
    """Name of an object."""
    return str((one.get("metadata") or {}).get("name", ""))


def namespace_of(one: Object) -> str:
    """Namespace of an object; its own name for a Namespace."""
    return name_of(one) if one.get("kind") == "Namespace" else str((one.get("metadata") or {}).get("namespace", ""))


def whole(value: Any) -> int:
    """A count as a manifest or the engine has it: 1, 1.0 or "1"; 0 for anything else."""
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return 0


def _pods(owner: Object, node: Any, per_replica: int, helps: bool = False) -> Iterator[Pod]:
    if isinstance(node, list):
        for item in node:
            yield from _pods(owner, item, per_replica, helps)
    elif isinstance(node, dict):
        spec = node.get("spec")
        if isinstance(spec, dict) and isinstance(spec.get("containers"), list):
            yield Pod(owner, node.get("metadata") or {}, spec, per_replica, helps)
            return
        for key, item in node.items():
            if isinstance(item, dict | list):
                workers = key == "workerTemplate" and "size" in node
                joined = workers and bool(node.get("leaderTemplate"))
                yield from _pods(owner, item, _workers(node) if workers else per_replica, helps or joined)


def _workers(group: Object) -> int:
    """Workers of a LeaderWorkerSet's group: its leader is one of `size`, and a worker too where it has no template."""
    return whole(group["size"]) - (1 if group.get("leaderTemplate") else 0)
