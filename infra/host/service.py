"""The wanted service of one Mac as plain data, and which changes of it stop the running one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Weights:
    """Weights of one repository at one revision. `name` is where the service finds them, in its own folder."""

    repository: str
    revision: str
    name: str


@dataclass(frozen=True)
class Service:
    """What runs on one machine.

    Attributes:
        stack: its name, and that of its folder and agent.
        address: of the machine, as `ssh` takes it.
        model: name that requests give, and under which the engine has loaded it.
        inputs: what a request may hold beside text.
        version: of mlx-vlm.
        lock: SHA-256 of the list of packages.
        weights: what is fetched.
        arguments: words of Python that start the engine.
        environment: its variables, beside the few that every service has.
        port: of the gateway; `engine_port` of the engine, on loopback.
        interface: whose address the gateway listens on; empty for loopback.
        drain_seconds: how long running answers may go on at a stop.
        start_seconds: after which a start has failed.
        log_bytes, log_files: the log is turned over at this size, and so many are kept.
        keep_weights: whether weights outlive the stack.
    """

    stack: str
    address: str
    model: str
    inputs: tuple[str, ...]
    version: str
    lock: str
    weights: tuple[Weights, ...]
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    port: int
    engine_port: int
    interface: str
    drain_seconds: int
    start_seconds: int
    log_bytes: int
    log_files: int
    keep_weights: bool


FIELDS = tuple(one.name for one in dataclasses.fields(Service))
IN_PLACE = frozenset({"keep_weights", "start_seconds"})
"""What changes without a restart."""
REPLACING = ("stack", "address")
"""What makes another service of it: the old one is removed first."""


def to_inputs(service: Service) -> dict[str, Any]:
    """The service as properties of a resource."""
    return {
        **{name: getattr(service, name) for name in FIELDS},
        "inputs": list(service.inputs),
        "weights": [dataclasses.asdict(one) for one in service.weights],
        "arguments": list(service.arguments),
        "environment": [list(pair) for pair in service.environment],
    }


def from_inputs(properties: Mapping[str, Any]) -> Service:
    """The service of a resource's properties, whatever the engine made of numbers.

    Raises:
        KeyError, TypeError, ValueError: they are no service.
    """
    numbers = ("port", "engine_port", "drain_seconds", "start_seconds", "log_bytes", "log_files")
    texts = ("stack", "address", "model", "version", "lock", "interface")
    return Service(
        **{name: int(properties[name]) for name in numbers},  # type: ignore[arg-type]
        **{name: str(properties[name]) for name in texts},  # type: ignore[arg-type]
        inputs=tuple(properties["inputs"]),
        weights=tuple(Weights(one["repository"], one["revision"], one["name"]) for one in properties["weights"]),
        arguments=tuple(properties["arguments"]),
        environment=tuple((name, value) for name, value in properties["environment"]),
        keep_weights=bool(properties["keep_weights"]),
    )


def changed(old: Service, new: Service) -> set[str]:
    """Names of fields that differ."""
    return {name for name in FIELDS if getattr(old, name) != getattr(new, name)}


def restarts(names: set[str]) -> bool:
    """Whether a change of these fields stops the running service."""
    return bool(names - IN_PLACE)
