"""The wanted service as plain data, and which changes of it stop the running one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class File:
    """One weights file.

    Attributes:
        path: below the data folder; absolute for a file of the user.
        origin: `hub`, `file` (the user's) or `tiny` (made here).
        address: on the hub; empty for others.
        sha256: what it has to be; empty where only the hub says it, or nobody.
    """

    path: str
    origin: str
    address: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Service:
    """What runs. Paths in `arguments` are below the data folder, in which the service runs.

    Attributes:
        stack: its name, and that of its folder and unit.
        program: name of the engine's binary.
        arguments: its words.
        environment: variables beside the few that every service has.
        port: on loopback.
        health_path: answers 200 once the model is loaded.
        files: weights.
        key_file: below the data folder; empty where no key is asked for.
        start_seconds: after which a start has failed.
        keep_weights: whether downloaded weights outlive the stack.
    """

    stack: str
    program: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    port: int
    health_path: str
    files: tuple[File, ...]
    key_file: str
    start_seconds: int
    keep_weights: bool

    @property
    def url(self) -> str:
        """OpenAI-compatible base address."""
        return f"http://127.0.0.1:{self.port}/v1"


FIELDS = tuple(one.name for one in dataclasses.fields(Service))
IN_PLACE = frozenset({"keep_weights", "start_seconds"})
"""What changes without a restart."""


def to_inputs(service: Service) -> dict[str, Any]:
    """The service as properties of a resource."""
    return {
        **{name: getattr(service, name) for name in FIELDS},
        "arguments": list(service.arguments),
        "environment": [list(pair) for pair in service.environment],
        "files": [dataclasses.asdict(one) for one in service.files],
    }


def from_inputs(properties: Mapping[str, Any]) -> Service:
    """The service of a resource's properties, whatever the engine made of numbers."""
    return Service(
        stack=properties["stack"],
        program=properties["program"],
        arguments=tuple(properties["arguments"]),
        environment=tuple((name, value) for name, value in properties["environment"]),
        port=int(properties["port"]),
        health_path=properties["health_path"],
        files=tuple(File(**{name: one[name] for name in _FILE_FIELDS}) for one in properties["files"]),
        key_file=properties["key_file"],
        start_seconds=int(properties["start_seconds"]),
        keep_weights=bool(properties["keep_weights"]),
    )


_FILE_FIELDS = tuple(one.name for one in dataclasses.fields(File))


def changed(old: Service, new: Service) -> set[str]:
    """Names of fields that differ."""
    return {name for name in FIELDS if getattr(old, name) != getattr(new, name)}


def restarts(names: set[str]) -> bool:
    """Whether a change of these fields stops the running service."""
    return bool(names - IN_PLACE)
