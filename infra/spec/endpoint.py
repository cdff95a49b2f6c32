"""`kind: Endpoint`: what is served. Absent optional fields are derived by the plan."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from infra.document import quoted
from infra.errors import nearest
from infra.spec.exposure import Expose
from infra.spec.fields import (
    CAPACITIES,
    Argument,
    Commit,
    DomainName,
    ImageReference,
    Input,
    Labels,
    Name,
    Repository,
    ReservationName,
    Strict,
    Word,
)
from infra.spec.job import Job
from infra.spec.managed import Caller, Vertex, service_of
from infra.spec.node_pool import NodePool
from infra.spec.scaling import Scaling
from infra.spec.secrets import SecretReference
from infra.spec.weights import Weights


class Accelerator(Strict):
    """Accelerator of one replica: its type and, where the plan should not choose, how many."""

    type: Word
    count: Annotated[int, Field(ge=1, le=64)] | None = None


class Capacity(Strict):
    """One rung of the capacity ladder: how the machine is bought, and the name of the reservation where it is one."""

    kind: str
    reservation: ReservationName | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_word(cls, value: Any) -> Any:
        if isinstance(value, str):
            if value == "reservation":
                raise ValueError("a reservation has a name: write {reservation: NAME}.")
            if value not in CAPACITIES:
                raise ValueError(f"unknown {quoted(value)}. {nearest(value, CAPACITIES)}")
            return {"kind": value}
        if isinstance(value, dict) and set(value) == {"reservation"}:
            return {"kind": "reservation", **value}
        raise ValueError(f"expected {', '.join(CAPACITIES[:2])}, {CAPACITIES[3]} or {{reservation: NAME}}.")

    def __str__(self) -> str:
        return self.kind if self.reservation is None else f"reservation {self.reservation}"


def _distinct(rungs: list[Capacity]) -> list[Capacity]:
    repeated = next((one for index, one in enumerate(rungs) if one in rungs[:index]), None)
    if repeated:
        raise ValueError(f"{repeated} stands twice; each rung is tried once.")
    return rungs


class Replicas(Strict):
    """How many copies of the endpoint run, and machines that the pool may add above them for a roll-out."""

    min: Annotated[int, Field(ge=0, le=100)] = 1
    max: Annotated[int, Field(ge=1, le=100)] | None = None
    spare: Annotated[int, Field(ge=0, le=10)] = 0

    @model_validator(mode="after")
    def _ordered(self) -> Replicas:
        if self.most < self.min:
            raise ValueError(f"max ({self.most}) is below min ({self.min}).")
        if self.most == 0:
            raise ValueError("min 0 without a max above it serves nothing; write max, or remove the stack.")
        if self.spare > self.most:
            raise ValueError(f"spare ({self.spare}) is above max ({self.most}): a roll-out has no use for more.")
        return self

    @property
    def most(self) -> int:
        """Most replicas: as many as fewest where the file names none."""
        return self.min if self.max is None else self.max

    @property
    def machines(self) -> int:
        """Most machines: one for every replica, and the spare ones."""
        return self.most + self.spare


class Media(Strict):
    """Where the engine may fetch images, video and audio from that requests name by address; data: needs none."""

    domains: Annotated[list[DomainName], Field(max_length=20)] = []


class Adapter(Strict):
    """A LoRA adapter: callers ask for it by its name in place of the model's."""

    name: Word
    repository: Repository
    revision: Commit
    rank: Annotated[int, Field(ge=1, le=512)]


def _each_once(callers: list[Caller]) -> list[Caller]:
    repeated = next((one for index, one in enumerate(callers) if one in callers[:index]), None)
    if repeated:
        raise ValueError(f"{repeated.namespace}/{repeated.serviceAccount} stands twice.")
    return callers


def _named_apart(adapters: list[Adapter]) -> list[Adapter]:
    names = [one.name for one in adapters]
    repeated = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if repeated:
        raise ValueError(f"two adapters are named {repeated}; callers could not tell them apart.")
    return adapters


class Engine(Strict):
    """Typed overrides of what the plan would choose for the framework's engine."""

    version: Word | None = None
    image: ImageReference | None = None
    channel: Literal["experimental", "stable"] | None = None
    registrySecret: SecretReference | None = None
    apiKeySecret: SecretReference | None = None
    tensorParallelSize: Annotated[int, Field(ge=1, le=64)] | None = None
    pipelineParallelSize: Annotated[int, Field(ge=1, le=16)] | None = None
    dataParallelSize: Annotated[int, Field(ge=1, le=64)] | None = None
    maxNumBatchedTokens: Annotated[int, Field(ge=256, le=131072)] | None = None
    microBatchTokens: Annotated[int, Field(ge=32, le=2048)] | None = None
    unifiedSlots: bool = False
    gpuMemoryUtilization: Annotated[float, Field(ge=0.1, le=0.98)] | None = None
    kvCacheDtype: (
        Literal["auto", "bf16", "f16", "f32", "fp8", "int4", "int8", "iq4_nl", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0"]
        | None
    ) = None
    args: Annotated[list[Argument], Field(max_length=20)] = []


class EndpointSpec(Strict):
    """What is served. Absent optional fields are derived by the plan."""

    apiVersion: Literal["servestack/v1"]
    kind: Literal["Endpoint"]
    platform: Name
    model: Word
    accelerator: Accelerator | None = None
    framework: Word
    precision: Word | None = None
    contextLength: Annotated[int, Field(ge=256, le=262144)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    inputs: Annotated[list[Input], Field(min_length=1)] | None = None
    tools: bool = False
    reasoning: bool = False
    speculativeDecoding: bool = False
    capacity: Annotated[list[Capacity], Field(min_length=1, max_length=8), AfterValidator(_distinct)] | None = None
    replicas: Replicas = Replicas()
    scaling: Scaling | None = None
    weights: Weights = Weights()
    longestAnswerSeconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    startupTimeoutSeconds: Annotated[int, Field(ge=10, le=14400)] | None = None
    budgetUsdPerMonth: Annotated[float, Field(gt=0)] | None = None
    labels: Labels = {}
    expose: Expose = Expose()
    media: Media = Media()
    nodePool: NodePool = NodePool()
    adapters: Annotated[list[Adapter], Field(max_length=8), AfterValidator(_named_apart)] = []
    engine: Engine = Engine()
    vertex: Vertex | None = None
    job: Job | None = None
    callers: Annotated[list[Caller], Field(max_length=20), AfterValidator(_each_once)] = []
    expectedRequestsPerMinute: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @property
    def on(self) -> Accelerator:
        """Accelerator of an endpoint that has machines: all but those of Google's own."""
        assert self.accelerator is not None, "a serverless endpoint has no accelerator"
        return self.accelerator

    @property
    def service(self) -> str:
        """`gemini`, `serverless` or `model-garden`; empty where the endpoint is not a managed one."""
        return service_of(self.framework, self.vertex)

    @field_validator("scaling")
    @classmethod
    def _within_replicas(cls, scaling: Scaling | None, info: ValidationInfo) -> Scaling | None:
        replicas = info.data.get("replicas")
        if scaling is None or replicas is None:
            return scaling
        if replicas.most == replicas.min:
            raise ValueError(f"nothing to scale: write replicas: {{min: {replicas.min}, max: {replicas.min + 1}}}.")
        for one in scaling.schedule or ():
            if not replicas.min < one.min <= replicas.most:
                raise ValueError(
                    f"schedule: min {one.min} must be above replicas.min ({replicas.min}), which always holds, and at "
                    f"most replicas.max ({replicas.most})."
                )
        return scaling

    @model_validator(mode="before")
    @classmethod
    def _accelerator_by_name(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("accelerator"), str):
            return {**values, "accelerator": {"type": values["accelerator"]}}
        return values
