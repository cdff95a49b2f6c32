"""`ServingPlan`: every decision about one endpoint, frozen and printable. Its JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.plan.access import Access
from infra.plan.credentials import Credentials
from infra.plan.exposure import CLOSED, Exposure
from infra.plan.identity import Grant
from infra.plan.node_pools import NO_POOLS, NodePools
from infra.plan.quantities import Cost, Host, Memory, Timing
from infra.plan.scaling import Scaling
from infra.plan.synced_secrets import SyncedSecret
from infra.plan.watching import UNWATCHED, Watch
from infra.plan.weights_source import WeightsChoice


@dataclass(frozen=True)
class ModelChoice:
    """Which weights: model name, hub repository (`checkpoint`), commit, file format, drafter's repository, licence."""

    id: str
    checkpoint: str
    revision: str | None
    format: str
    drafter: str | None
    draft_tokens: int | None
    licence: str
    gated: bool


@dataclass(frozen=True)
class FrameworkChoice:
    """Which engine, at which version, from which image."""

    name: str
    version: str
    image: str


@dataclass(frozen=True)
class AdapterChoice:
    """A LoRA adapter: its name in requests, hub repository, commit and rank."""

    name: str
    repository: str
    revision: str
    rank: int


@dataclass(frozen=True)
class AcceleratorChoice:
    """Accelerators of one replica and the machine that carries them.

    Attributes:
        kind: `gpu`, `tpu`, `apple` or `cpu`.
        count: of one replica; `nodes` machines carry as many each.
        machine_type: of each of them.
        capacity: how the machine is bought; `own` for one that is there.
        reservation: its name, where capacity is `reservation`.
        gke_label, resource: node label value and Kubernetes resource; empty where there is none.
        topology: of a TPU's slice, such as `2x2`; empty for others.
        node_labels: by which the nodes of a cluster that is there are found; empty where a pool is made.
        taints: keys and values of their taints that pods tolerate; an empty value stands for every one.
        runtime_writes: whether the nodes' container runtime may write into the root of containers with accelerators.
    """

    type: str
    kind: str
    count: int
    nodes: int
    machine_type: str
    capacity: str
    reservation: str | None
    gke_label: str
    resource: str
    zones: tuple[str, ...]
    topology: str = ""
    node_labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[tuple[str, str], ...] = ()
    runtime_writes: bool = False

    @property
    def per_node(self) -> int:
        """Accelerators of one machine, and of the pod on it."""
        return self.count // self.nodes

    @property
    def machines(self) -> str:
        """Machines of one replica, such as `2 x g2-standard-96`."""
        return self.machine_type if self.nodes == 1 else f"{self.nodes} x {self.machine_type}"


@dataclass(frozen=True)
class Parallelism:
    """How one replica is split over its accelerators."""

    tensor: int
    pipeline: int
    data: int


@dataclass(frozen=True)
class Context:
    """Tokens of one request, and how many requests of that length fit at once, guaranteed."""

    max_model_len: int
    max_num_batched_tokens: int | None
    concurrency: int


@dataclass(frozen=True)
class Rung:
    """One step of the capacity ladder: a plan of its own, in short.

    Attributes:
        max_concurrent_requests: full requests that fit at its context.
        loses: what it is worse at than the first rung, in words.
    """

    capacity: str
    reservation: str | None
    machine_type: str
    nodes: int
    count: int
    parallelism: Parallelism
    precision: str
    checkpoint: str
    context: Context
    need_gib: float
    have_gib: float
    drain_seconds: int
    hourly_usd: float | None
    monthly_usd_min: float | None
    monthly_usd_max: float | None
    exact: bool
    max_concurrent_requests: int
    loses: tuple[str, ...]


@dataclass(frozen=True)
class Rollout:
    """How a new version replaces the old, and what callers see.

    Attributes:
        strategy: `surge`, `one-at-a-time`, `replace` or `recreate`.
        type: of the Deployment's strategy, as Kubernetes names it.
        max_surge, max_unavailable: pods above and below those asked for; None with `Recreate`.
        least_available: how many of the fewest replicas answer throughout.
        downtime: what callers see, in words; `downtime_seconds` without any replica that answers.
        min_ready_seconds: a new pod counts once it has answered that long.
        progress_deadline_seconds: a roll-out in which nothing moves for so long has failed.
        duration_seconds: estimate for all replicas; `timeout_seconds` after which it is given up.
    """

    strategy: str
    type: str
    max_surge: int | None
    max_unavailable: int | None
    least_available: int
    downtime: str
    downtime_seconds: int
    min_ready_seconds: int
    progress_deadline_seconds: int
    duration_seconds: int
    timeout_seconds: int

    @property
    def deployment_strategy(self) -> dict[str, Any]:
        """`spec.strategy` of the Deployment."""
        if self.type == "Recreate":
            return {"type": self.type}
        return {
            "type": self.type,
            "rollingUpdate": {"maxSurge": self.max_surge, "maxUnavailable": self.max_unavailable},
        }

    @property
    def group_strategy(self) -> dict[str, int]:
        """`rollingUpdateConfiguration` of the LeaderWorkerSet, where a replica is several machines."""
        return {"maxSurge": self.max_surge or 0, "maxUnavailable": self.max_unavailable or 0}


@dataclass(frozen=True)
class Decision:
    """One decided value, who decided it (stack, platform, catalogue, lock, derived) and why."""

    field: str
    value: str
    origin: str
    reason: str


@dataclass(frozen=True)
class ServingPlan:
    """The whole plan of one endpoint.

    Attributes:
        replicas: the most; `min_replicas` the fewest; `machines` the most that the pool may have, in a roll-out.
        media_domains: names from which the engine may fetch what requests name by address.
        settings: further engine settings on which the memory proof rests.
        cautions: what to know before paying, in words.
        only_planned: why this version does not deploy it; empty where it does.
        watch: who scrapes its metrics and evaluates its alerts.
        scaling: what moves the number of replicas; None where it is fixed.
        synced_secrets: Secrets of its namespace that GKE fills from Secret Manager.
        grants: what its service account may do in Google Cloud.
        node_pools: the machines it runs on, and what a change of them means.
    """

    stack: str
    platform: str
    model: ModelChoice
    framework: FrameworkChoice
    precision: str
    inputs: tuple[str, ...]
    tools: bool
    reasoning: bool
    accelerator: AcceleratorChoice
    parallelism: Parallelism
    context: Context
    memory: Memory
    host: Host
    timing: Timing
    cost: Cost
    unified_slots: bool
    settings: tuple[tuple[str, int], ...]
    min_replicas: int
    replicas: int
    ladder: tuple[Rung, ...]
    rollout: Rollout
    access: Access
    credentials: Credentials
    weights: WeightsChoice
    engine_args: tuple[str, ...]
    adapters: tuple[AdapterChoice, ...]
    media_domains: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]
    cautions: tuple[str, ...]
    only_planned: tuple[str, ...]
    exposure: Exposure = CLOSED
    watch: Watch = UNWATCHED
    scaling: Scaling | None = None
    synced_secrets: tuple[SyncedSecret, ...] = ()
    grants: tuple[Grant, ...] = ()
    node_pools: NodePools = NO_POOLS

    @property
    def machines(self) -> int:
        """Most machines of the pool: those of every replica, and the spare ones."""
        return (self.replicas + (self.rollout.max_surge or 0)) * self.accelerator.nodes

    def summary(self) -> str:
        """The plan in one line, short enough for a preview to show whole."""
        accelerator, memory = self.accelerator, self.memory
        return (
            f"{self.model.checkpoint} ({self.precision}), {accelerator.count} x {accelerator.type} "
            f"({accelerator.machines}, {accelerator.capacity}), tensor parallel {self.parallelism.tensor}, "
            f"{self.context.max_model_len:,} tokens, {memory.need_gib:.1f} of {memory.have_gib:.1f} GiB"
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data: camelCase keys, GiB spelled so, numbers rounded to 0.0001."""
        found: dict[str, Any] = plain(dataclasses.asdict(self))
        found["labels"] = dict(self.labels)
        found["settings"] = dict(self.settings)
        found["accelerator"]["nodeLabels"] = dict(self.accelerator.node_labels)
        found["accelerator"]["taints"] = dict(self.accelerator.taints)
        found["watch"]["labels"] = dict(self.watch.labels)
        for pods, shown in zip(self.exposure.clients, found["exposure"]["clients"], strict=True):
            shown["labels"] = dict(pods.labels)
        if self.exposure.gateway is not None and self.exposure.gateway.proxies is not None:
            found["exposure"]["gateway"]["proxies"]["labels"] = dict(self.exposure.gateway.proxies.labels)
        return found


def camel(name: str) -> str:
    """A field's name as JSON data spells it, GiB with its own capitals."""
    head, *rest = name.split("_")
    return head + "".join("GiB" if word == "gib" else word.capitalize() for word in rest)


def plain(value: Any) -> Any:
    """Data of a plan as JSON: camelCase keys, numbers rounded to 0.0001."""
    if isinstance(value, dict):
        return {camel(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
