"""The two kinds of stack file: `Endpoint` (what is served) and `Platform` (where).

Only the shape is checked here: keys, types, ranges, characters. Whether a model or an accelerator exists is the
catalogue's business, and whether it fits is the plan's.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from infra.document import Document, quoted
from infra.errors import Problem, nearest

API_VERSION = "servestack/v1"
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$")]
Argument = Annotated[str, StringConstraints(pattern=r"^--[a-z0-9][a-z0-9-]*(=[A-Za-z0-9._,:/@+-]+)?$", max_length=200)]
Input = Literal["audio", "image", "text", "video"]
Capacity = Literal["flex-start", "on-demand", "spot"]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


# Label keys that Google keeps for itself, and those by which this project knows what it made and who may call.
_RESERVED_LABEL = re.compile(r"goog-.*|servestack-.*|client-of|endpoint|managed-by|stack")


def _unreserved(labels: dict[str, str]) -> dict[str, str]:
    taken = sorted(key for key in labels if _RESERVED_LABEL.fullmatch(key))
    if taken:
        raise ValueError(f"reserved: {', '.join(taken)}; use another key, such as team.")
    return labels


Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=16), AfterValidator(_unreserved)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


class Accelerator(_Strict):
    """Accelerator of one replica: its type and, where the plan should not choose, how many."""

    type: Word
    count: Annotated[int, Field(ge=1, le=64)] | None = None


class Replicas(_Strict):
    """How many copies of the endpoint run."""

    min: Annotated[int, Field(ge=1, le=100)] = 1
    max: Annotated[int, Field(ge=1, le=100)] = 1

    @model_validator(mode="after")
    def _ordered(self) -> Replicas:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) is below min ({self.min}).")
        if self.max > self.min:
            raise ValueError("max above min needs autoscaling, which this version does not have; set both equal.")
        return self


class Engine(_Strict):
    """Typed overrides of what the plan would choose for the framework's engine."""

    version: Word | None = None
    tensorParallelSize: Annotated[int, Field(ge=1, le=64)] | None = None
    maxNumBatchedTokens: Annotated[int, Field(ge=256, le=131072)] | None = None
    gpuMemoryUtilization: Annotated[float, Field(ge=0.1, le=0.98)] | None = None
    kvCacheDtype: Literal["auto", "fp8"] | None = None
    args: Annotated[list[Argument], Field(max_length=20)] = []


class EndpointSpec(_Strict):
    """What is served. Absent optional fields are derived by the plan."""

    apiVersion: Literal["servestack/v1"]
    kind: Literal["Endpoint"]
    platform: Name
    model: Word
    accelerator: Accelerator
    framework: Word
    precision: Word | None = None
    contextLength: Annotated[int, Field(ge=256, le=262144)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=1024)] | None = None
    inputs: Annotated[list[Input], Field(min_length=1)] | None = None
    tools: bool = False
    reasoning: bool = False
    capacity: Annotated[list[Capacity], Field(min_length=1, max_length=1)] = ["on-demand"]
    replicas: Replicas = Replicas()
    startupTimeoutSeconds: Annotated[int, Field(ge=10, le=14400)] | None = None
    budgetUsdPerMonth: Annotated[float, Field(gt=0)] | None = None
    labels: Labels = {}
    engine: Engine = Engine()

    @model_validator(mode="before")
    @classmethod
    def _accelerator_by_name(cls, values: Any) -> Any:
        if isinstance(values, dict) and isinstance(values.get("accelerator"), str):
            return {**values, "accelerator": {"type": values["accelerator"]}}
        return values


class Cluster(_Strict):
    """GKE cluster of a platform: made by its stack, or adopted as it is."""

    name: ClusterName
    create: bool = True


class Gke(_Strict):
    """A GKE platform."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    location: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}(-[a-z])?$")]
    zones: list[Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$")]] = []
    cluster: Cluster
    releaseChannel: Literal["RAPID", "REGULAR", "STABLE"] = "REGULAR"
    deletionProtection: bool = True

    @model_validator(mode="after")
    def _zones_in_region(self) -> Gke:
        region = "-".join(self.location.split("-")[:2])
        outside = [zone for zone in self.zones if not zone.startswith(f"{region}-")]
        if outside:
            raise ValueError(f"zones {', '.join(outside)} are outside the location's region {region}.")
        return self


class PlatformSpec(_Strict):
    """Where endpoints run."""

    apiVersion: Literal["servestack/v1"]
    kind: Literal["Platform"]
    gke: Gke
    labels: Labels = {}


Spec = EndpointSpec | PlatformSpec
_KINDS: dict[str, type[EndpointSpec] | type[PlatformSpec]] = {"Endpoint": EndpointSpec, "Platform": PlatformSpec}


def spec_problems(document: Document) -> tuple[Spec | None, list[Problem]]:
    """Check the shape of a stack file.

    Returns:
        The spec, or None, and every problem found.
    """
    kind = document.values.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        message = (
            f"unknown {quoted(kind)}. {nearest(str(kind), _KINDS)}"
            if kind is not None
            else "missing. Add 'kind: Endpoint'."
        )
        return None, [document.problem(("kind",), message)]
    schema = _KINDS[kind]
    try:
        return schema.model_validate(document.values), []
    except ValidationError as error:
        return None, [_problem(document, schema, dict(item)) for item in error.errors(include_url=False)]


def _problem(document: Document, schema: type[BaseModel], item: dict[str, Any]) -> Problem:
    location = tuple(item["loc"])
    if len(location) == 3 and location[-1] == "[key]":  # pydantic's mark for the key of `labels`, not its value
        location = location[:-1]
    if location[:2] == ("accelerator", "type") and "type" not in _mapping(document, "accelerator"):
        location = ("accelerator", *location[2:])
    kind, context = item["type"], item.get("ctx", {})
    if kind == "extra_forbidden":
        known = _known_keys(schema, location[:-1])
        return document.problem(location, f"unknown key. {nearest(str(location[-1]), known)}", at_key=True)
    if kind == "missing":
        return document.problem(location, "missing; every stack file of this kind has it.")
    if kind == "literal_error":
        allowed = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        return document.problem(location, f"unknown {quoted(item['input'])}. {nearest(str(item['input']), allowed)}")
    if kind == "string_pattern_mismatch":
        message = f"{quoted(item['input'])} is not accepted here; it must match {context['pattern']}"
        return document.problem(location, message)
    if kind in {"model_type", "dict_type"}:
        shape = ", ".join(_known_keys(schema, location)) if kind == "model_type" else "key: value, ..."
        return document.problem(location, f"expected {{{shape}}}, not {quoted(item['input'])}.")
    if kind in {"too_long", "too_short"}:
        bound, limit = ("most", context.get("max_length")) if kind == "too_long" else ("least", context["min_length"])
        entries = "1 entry" if limit == 1 else f"{limit} entries"
        return document.problem(location, f"at {bound} {entries}; there are {len(item['input'])}.")
    if kind == "list_type":
        example = f" Write [{item['input']}]." if isinstance(item["input"], str) and len(item["input"]) < 40 else ""
        return document.problem(location, f"expected a list, not {quoted(item['input'])}.{example}")
    message = str(item["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    value = f", not {quoted(item['input'])}"
    return document.problem(location, message if kind == "value_error" else f"{message}{value}.")


def _mapping(document: Document, key: str) -> dict[str, Any]:
    value = document.values.get(key)
    return value if isinstance(value, dict) else {}


def _known_keys(schema: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    current: Any = schema
    for part in location:
        field = current.model_fields.get(part) if isinstance(part, str) else None
        current = field.annotation if field is not None else current
        candidates = getattr(current, "__args__", (current,))
        current = next((one for one in candidates if hasattr(one, "model_fields")), schema)
    return list(current.model_fields)
