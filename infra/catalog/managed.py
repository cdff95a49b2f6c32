"""Records of what Google serves of the family without a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class GardenModel:
    """A model of Model Garden: its name there, and the folder that its own deployments read, or None."""

    model: str
    publisher_model: str
    weights: str | None
    sources: tuple[str, ...]


@dataclass(frozen=True)
class GardenOffer:
    """A machine on which Model Garden was seen to serve a model."""

    model: str
    accelerator: str
    machine_type: str
    count: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class GardenContainer:
    """The container of Model Garden's deployments: how a server of one's own arguments is started in it.

    Attributes:
        engine_version: of vLLM in it, as somebody read it; the image's tag can move.
    """

    engine_version: str
    image: str
    command: tuple[str, ...]
    port: int
    predict_route: str
    health_route: str
    shared_memory_mb: int
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ServedModel:
    """A model that Google serves on its own machines.

    Attributes:
        service: `serverless` (Vertex AI) or `gemini` (Gemini API).
        request_model: name to send as `model`.
        location: where it runs; None where Google does not say.
        output_tokens: longest answer; None where Google does not say.
        price: which price it is, or why there is none.
    """

    service: str
    model: str
    request_model: str
    location: str | None
    context_tokens: int
    output_tokens: int | None
    inputs: tuple[str, ...]
    tools: bool
    reasoning: bool
    input_usd_per_million_tokens: float | None
    output_usd_per_million_tokens: float | None
    price: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class ManagedFacts:
    """All of it; models by their name in stack files."""

    garden_models: dict[str, GardenModel]
    offers: tuple[GardenOffer, ...]
    container: GardenContainer
    served: tuple[ServedModel, ...]
    free_tier_requests_per_minute: int

    def served_by(self, service: str) -> dict[str, ServedModel]:
        """What a service serves, by model."""
        return {one.model: one for one in self.served if one.service == service}


def managed_facts(facts: Mapping[str, Any]) -> ManagedFacts:
    """The records of `managed.yaml`."""
    return ManagedFacts(
        garden_models={row["model"]: GardenModel(**_fields(row)) for row in facts["models"]},
        offers=tuple(GardenOffer(**_fields(row)) for row in facts["offers"]),
        container=GardenContainer(**_fields(facts["containers"][0])),
        served=tuple(ServedModel(**_fields(row)) for row in facts["served"]),
        free_tier_requests_per_minute=facts["free_tier_requests_per_minute"]["requests"],
    )


def _fields(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
