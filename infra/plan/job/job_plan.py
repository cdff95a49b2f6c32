"""`JobPlan`: every decision about a job. Its JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.plan.identity import Grant
from infra.plan.node_pools import NodePools
from infra.plan.quantities import Host, MemoryTerm
from infra.plan.serving_plan import AcceleratorChoice, Decision, FrameworkChoice, ModelChoice, plain


@dataclass(frozen=True)
class JobPlace:
    """A file or folder in a bucket or in the volume of a claim; the other name is empty."""

    use: str
    bucket: str
    claim: str
    path: str

    @property
    def writes(self) -> bool:
        """Whether the job writes there."""
        return self.use == "output"

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.path}" if self.bucket else f"volume {self.claim}, {self.path}"


@dataclass(frozen=True)
class JobMemory:
    """Memory of the accelerator, in GiB: what is expected and what may come on top, against what may be filled."""

    per_accelerator_gib: float
    need_gib: float
    have_gib: float
    terms: tuple[MemoryTerm, ...]


@dataclass(frozen=True)
class Work:
    """What the script is told. What is not of its mode has the script's default.

    Attributes:
        pods: that share the records; `parallel` of them run at once.
        save_seconds: longest time between two saves.
    """

    mode: str
    preset: str
    sequence_length: int
    batch_size: int
    seed: int
    temperature: float
    epochs: int
    rank: int
    learning_rate: float
    pods: int
    parallel: int
    save_seconds: int


@dataclass(frozen=True)
class Ending:
    """How often and how long the job is tried, in times and seconds.

    Attributes:
        retries: of one pod; the end of its machine does not count.
        deadline_seconds: after which the whole job is ended, waiting and retries counted.
        grace_seconds: from SIGTERM to SIGKILL.
        kept_seconds: for which the finished Job stays to be read.
    """

    retries: int
    deadline_seconds: int
    grace_seconds: int
    kept_seconds: int


@dataclass(frozen=True)
class JobCost:
    """USD. Unknown prices are None.

    Attributes:
        exact: False where the price by the hour is only a ceiling.
        hourly_usd: while all pods run that may run at once.
        most_usd: if it runs until its deadline.
    """

    hourly_usd: float | None
    most_usd: float | None
    exact: bool
    basis: str


@dataclass(frozen=True)
class JobPlan:
    """The whole plan of one job.

    Attributes:
        places: input and output, and where they are named preset and adapter.
    """

    stack: str
    platform: str
    model: ModelChoice
    framework: FrameworkChoice
    precision: str
    accelerator: AcceleratorChoice
    memory: JobMemory
    host: Host
    work: Work
    places: tuple[JobPlace, ...]
    ending: Ending
    cost: JobCost
    node_pools: NodePools
    grants: tuple[Grant, ...]
    labels: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]
    cautions: tuple[str, ...]

    @property
    def machines(self) -> int:
        """Most machines: one for every pod that runs at once."""
        return self.work.parallel

    def place(self, use: str) -> JobPlace | None:
        """The place of one use."""
        return next((one for one in self.places if one.use == use), None)

    @property
    def result(self) -> str:
        """Where the result is, once it is there: a folder of it for every pod where there are several."""
        output = self.place("output")
        assert output is not None
        shard = "/shard-I-of-" + str(self.work.pods) if self.work.pods > 1 else ""
        return f"{output}{shard}/result.json"

    def summary(self) -> str:
        """The plan in one line, short enough for a preview to show whole."""
        one, memory = self.accelerator, self.memory
        return (
            f"{self.work.mode} with {self.model.checkpoint}, {self.work.pods} x 1 x {one.type} ({one.machine_type}, "
            f"{one.capacity}), {memory.need_gib:.1f} of {memory.have_gib:.1f} GiB"
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data."""
        found: dict[str, Any] = plain(dataclasses.asdict(self))
        found["labels"] = dict(self.labels)
        found["result"] = self.result
        found["accelerator"]["nodeLabels"] = dict(self.accelerator.node_labels)
        found["accelerator"]["taints"] = dict(self.accelerator.taints)
        return found
