"""`ManagedPlan`: every decision about an endpoint that Google runs. Its JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.plan.identity import Grant
from infra.plan.quantities import Cost, Memory
from infra.plan.serving_plan import AcceleratorChoice, Decision, FrameworkChoice, Parallelism, plain
from infra.plan.synced_secrets import SyncedSecret

_NAMES = {"gemini": "the Gemini API", "model-garden": "Vertex AI Model Garden", "serverless": "Vertex AI, serverless"}


FIRST_APIS = ("serviceusage", "cloudresourcemanager")
"""Those that switch on the others, and give roles in the project."""


@dataclass(frozen=True)
class ManagedModel:
    """Which weights, and the name to send as `model` in requests; empty where it is known after deployment."""

    id: str
    checkpoint: str
    request_model: str
    licence: str


@dataclass(frozen=True)
class ManagedContext:
    """Tokens of one request and of its answer, and full requests guaranteed at once; None where Google names none."""

    max_model_len: int | None
    max_output_tokens: int | None
    max_num_batched_tokens: int | None
    concurrency: int | None


@dataclass(frozen=True)
class Garden:
    """How Model Garden's endpoint is made.

    Attributes:
        provider: `sdk` or `native`.
        publisher_model: Model Garden's name, such as `google/gemma4@gemma-4-31b-it`.
        endpoint_id, model_id: ids of endpoint and Registry entry.
        accelerator_type: Vertex AI's name, such as `NVIDIA_H100_80GB`.
        container: `planned`, with the plan's arguments, or `verified`, with Model Garden's own.
        weights: folder of a bucket that a planned container reads; empty with a verified one.
        accept_licence: accept the model's licence in the project.
        autoscaling: Vertex AI's name of the metric, and target, or None for Vertex AI's own.
        reservation: full name, where capacity is `reservation`; else empty.
        flex_start_seconds: longest run, where capacity is `flex-start`; else 0.
        timeout_seconds: after which a deployment is given up and taken away.
    """

    provider: str
    publisher_model: str
    endpoint_id: str
    model_id: str
    accelerator_type: str
    container: str
    weights: str
    accept_licence: bool
    autoscaling: tuple[str, int] | None
    reservation: str
    flex_start_seconds: int
    timeout_seconds: int


@dataclass(frozen=True)
class TokenPrice:
    """USD per million tokens; None where nothing is charged or known, `basis` says which."""

    input_usd_per_million: float | None
    output_usd_per_million: float | None
    basis: str


@dataclass(frozen=True)
class CallerPods:
    """Pods that call, by namespace and service account."""

    namespace: str
    service_account: str


@dataclass(frozen=True)
class Calling:
    """As whom callers come.

    Attributes:
        account_id: of the Google service account that calls; `email` in full.
        role: that it has in the project; empty where none is needed.
        namespace: of the cluster, made for callers; empty without a cluster.
        callers: pods that act as the account: the namespace's own first.
        key_id: of the API key; empty where callers come with access tokens.
        key_secret: of Secret Manager, with the key.
    """

    account_id: str
    email: str
    role: str
    namespace: str
    callers: tuple[CallerPods, ...]
    key_id: str
    key_secret: str


@dataclass(frozen=True)
class ManagedPlan:
    """The whole plan of one managed endpoint.

    Attributes:
        service: `model-garden`, `serverless` or `gemini`.
        project: of Google Cloud.
        location: where it runs, as Google names it; empty where Google does not say.
        base_url: OpenAI-compatible; empty where it is known after deployment.
        apis: of Google, that are switched on, in that order.
        memory, accelerator, parallelism, garden: None where Google runs it on machines of its own.
        min_replicas, replicas: fewest and most; 0 where Google does not let them be set.
        startup_seconds: from nothing to a first answer; 0 where there is nothing to start.
        settings: further engine settings on which the memory proof rests.
        expected_requests_per_minute: as the stack file says it, or None.
    """

    stack: str
    platform: str
    service: str
    project: str
    location: str
    base_url: str
    apis: tuple[str, ...]
    model: ManagedModel
    framework: FrameworkChoice
    precision: str
    inputs: tuple[str, ...]
    tools: bool
    reasoning: bool
    context: ManagedContext
    accelerator: AcceleratorChoice | None
    parallelism: Parallelism | None
    memory: Memory | None
    settings: tuple[tuple[str, int], ...]
    min_replicas: int
    replicas: int
    startup_seconds: int
    cost: Cost
    token_price: TokenPrice | None
    garden: Garden | None
    calling: Calling
    synced_secrets: tuple[SyncedSecret, ...]
    grants: tuple[Grant, ...]
    expected_requests_per_minute: int | None
    labels: tuple[tuple[str, str], ...]
    decisions: tuple[Decision, ...]
    cautions: tuple[str, ...]

    @property
    def capacity(self) -> str:
        """How its machines are bought; `google` where they are Google's own."""
        return self.accelerator.capacity if self.accelerator else "google"

    def summary(self) -> str:
        """The plan in one line, short enough for a preview to show whole."""
        if self.accelerator is None or self.memory is None:
            served = f"requested as {self.model.request_model}, " if self.model.request_model else ""
            machines = "nothing to deploy" if self.garden is None else f"{self.garden.container} container"
            return f"{self.model.id} at {_NAMES[self.service]}, {served}{machines}"
        proof = f"{self.memory.need_gib:.1f} of {self.memory.have_gib:.1f} GiB"
        accelerator = self.accelerator
        return (
            f"{self.model.checkpoint} ({self.precision}), {accelerator.count} x {accelerator.type} "
            f"({accelerator.machine_type}, {accelerator.capacity}), {proof}"
        )

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data, with the names that a self-hosted plan has for the same."""
        found: dict[str, Any] = plain(dataclasses.asdict(self))
        found["labels"] = dict(self.labels)
        found["settings"] = dict(self.settings)
        if self.accelerator is not None:
            found["accelerator"]["nodeLabels"] = dict(self.accelerator.node_labels)
            found["accelerator"]["taints"] = dict(self.accelerator.taints)
        return found
