"""The shape of a resource in Pulumi's state: the live object, and beside it what made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from simulator.kubernetes_provider.properties import (
    Object,
    Properties,
    Secret,
    annotate_secrets,
    to_object,
    to_properties,
)

INPUTS: Final = "__inputs"
INITIAL_API_VERSION: Final = "__initialApiVersion"
FIELD_MANAGER: Final = "__fieldManager"


@dataclass(frozen=True)
class Checkpoint:
    """A resource's old state.

    Attributes:
        inputs: the inputs that made it; empty where the state has none.
        live: the live object as last seen.
        initial_api_version: the apiVersion it was first made with.
        field_manager: the server-side apply manager, or empty.
    """

    inputs: Object
    live: Object
    initial_api_version: str
    field_manager: str


def read_checkpoint(state: Properties) -> Checkpoint:
    """Takes a state apart. Official behaviour: provider.go parseCheckpointObject."""
    plain: dict[str, Any] = to_object(state)
    inputs = plain.pop(INPUTS, None)
    initial = plain.pop(INITIAL_API_VERSION, None)
    manager = plain.pop(FIELD_MANAGER, None)
    return Checkpoint(
        inputs=inputs if isinstance(inputs, dict) else {},
        live=plain,
        initial_api_version=str(initial or ""),
        field_manager=str(manager or ""),
    )


def write_checkpoint(
    inputs: Object, live: Object, secrets_from: Properties, initial_api_version: str, field_manager: str
) -> Properties:
    """Builds a state. Official behaviour: provider.go checkpointObject.

    Args:
        inputs: the normalised inputs.
        live: the live object.
        secrets_from: the inputs as they came, which say what is secret.
        initial_api_version: the apiVersion the object was first made with.
        field_manager: the server-side apply manager.
    """
    state: Properties = to_properties(live)
    stored: Properties = to_properties(inputs)
    annotate_secrets(state, secrets_from)
    annotate_secrets(stored, secrets_from)
    if (live.get("apiVersion"), live.get("kind")) == ("v1", "Secret"):
        _mark_string_data(state, secrets_from)
    state[INPUTS] = stored
    state[INITIAL_API_VERSION] = initial_api_version
    state[FIELD_MANAGER] = field_manager
    return state


def _mark_string_data(state: Properties, secrets_from: Properties) -> None:
    """Marks the `data` that the server filled in from secret `stringData`."""
    given, data = secrets_from.get("stringData"), state.get("data")
    if isinstance(given, Secret) and data is not None and not isinstance(data, Secret):
        state["data"] = Secret(data)
    elif isinstance(given, dict) and isinstance(data, dict):
        annotate_secrets(data, given)
