"""What a stack file says of a managed endpoint alone, and which of the other keys it may have."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from infra.spec.fields import Strict

MANAGED_FRAMEWORKS = ("gemini", "vertex")
KUBERNETES_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"

_COMMON = frozenset(
    {
        "apiVersion",
        "kind",
        "platform",
        "model",
        "framework",
        "inputs",
        "tools",
        "reasoning",
        "contextLength",
        "labels",
        "callers",
    }
)
_KEYS = {
    "gemini": _COMMON | {"expectedRequestsPerMinute"},
    "serverless": _COMMON | {"expectedRequestsPerMinute", "vertex"},
    "model-garden": _COMMON
    | {
        "accelerator",
        "precision",
        "concurrency",
        "capacity",
        "replicas",
        "budgetUsdPerMonth",
        "startupTimeoutSeconds",
        "engine",
        "vertex",
    },
}
_ENGINE_KEYS = frozenset({"image", "tensorParallelSize", "maxNumBatchedTokens", "gpuMemoryUtilization", "kvCacheDtype"})
_OF_MANAGED = ("callers", "expectedRequestsPerMinute", "vertex")
_WHY = {
    "gemini": "the Gemini API runs on Google's own machines",
    "serverless": "a serverless endpoint runs on Google's own machines",
    "model-garden": "an endpoint of Model Garden has no such thing",
}
# What a file of that service says in its place, where there is something.
_INSTEAD = {
    ("model-garden", "scaling"): "write vertex: {autoscaling: {metric: accelerator, target: 60}}.",
    ("model-garden", "version"): "engine.image names another one.",
    **{(service, "expose"): "on a cluster, callers names who may call." for service in _KEYS},
}


class VertexAutoscaling(Strict):
    """What Vertex AI holds the number of replicas to: a share in percent, or requests per minute and replica."""

    metric: Literal["accelerator", "cpu", "requests"]
    target: Annotated[int, Field(ge=1, le=100_000)]


class Vertex(Strict):
    """How framework `vertex` serves.

    Attributes:
        serverless: without a deployment, on Google's own machines.
        provider: what makes the endpoint: `sdk` adopts, reads and cleans up; `native` is Pulumi's own resource.
        container: whose arguments serve: `planned`, those of the proof; `verified`, Model Garden's own.
        reservationZone: zone of the reservation that capacity names.
        maxRunSeconds: longest run of a flex-start deployment; Google's own limit is 7 days.
        acceptLicence: accept the model's licence in the project.
    """

    serverless: bool = False
    provider: Literal["native", "sdk"] = "sdk"
    container: Literal["planned", "verified"] = "planned"
    acceptLicence: bool = False
    reservationZone: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$")] | None = None
    maxRunSeconds: Annotated[int, Field(ge=600, le=604_800)] | None = None
    autoscaling: VertexAutoscaling | None = None


class Caller(Strict):
    """Pods that call a managed endpoint, by namespace and service account."""

    namespace: Annotated[str, StringConstraints(pattern=KUBERNETES_NAME)]
    serviceAccount: Annotated[str, StringConstraints(pattern=KUBERNETES_NAME)]


def service_of(framework: str, vertex: Vertex | None) -> str:
    """`gemini`, `serverless` or `model-garden`; empty where the framework is not a managed one."""
    if framework == "gemini":
        return "gemini"
    if framework == "vertex":
        return "serverless" if vertex is not None and vertex.serverless else "model-garden"
    return ""


def needs_accelerator(framework: str, vertex: Vertex | None) -> bool:
    """Whether a stack file has to name one."""
    return service_of(framework, vertex) in ("", "model-garden")


def misplaced(
    framework: str, vertex: Vertex | None, keys: frozenset[str], engine_keys: frozenset[str]
) -> list[tuple[tuple[str, ...], str]]:
    """Keys that a file of this framework cannot have, each with the reason, in their order.

    Args:
        framework: its word.
        vertex: what its file says of it.
        keys: that stand in the file.
        engine_keys: that stand below `engine`.
    """
    service = service_of(framework, vertex)
    if not service:
        why = f"only managed endpoints have it (framework {' or '.join(MANAGED_FRAMEWORKS)}); leave it out."
        return [((key,), why) for key in _OF_MANAGED if key in keys]
    fields: list[tuple[str, ...]] = [(key,) for key in sorted(keys - _KEYS[service])]
    if service == "serverless" and vertex is not None:
        fields += [("vertex", key) for key in sorted(vertex.model_fields_set - {"serverless"})]
    if service == "model-garden":
        fields += [("engine", key) for key in sorted(engine_keys - _ENGINE_KEYS)]
    return [(field, f"{_WHY[service]}; {_INSTEAD.get((service, field[-1]), 'leave it out.')}") for field in fields]
