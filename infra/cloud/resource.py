"""One Google Cloud resource as the Pulumi provider takes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CloudResource:
    """A resource, and how Pulumi treats it.

    Attributes:
        token: its Pulumi type, such as `gcp:container/nodePool:NodePool`.
        name: Pulumi's name of it, unique in its stack.
        inputs: as the provider names them.
        after: names of resources of the same stack without which it cannot be made.
        protect: whether Pulumi refuses to delete it.
        ignore: inputs that others change after it was made.
        timeout_seconds: for each of create, update and delete; None for the provider's own.
        delete_first: whether what stands is deleted before its replacement is made, where both would need the same.
        secrets: outputs that the state keeps encrypted, and no output shows.
    """

    token: str
    name: str
    inputs: dict[str, Any] = field(hash=False)
    after: tuple[str, ...] = ()
    protect: bool = False
    ignore: tuple[str, ...] = ()
    timeout_seconds: int | None = None
    delete_first: bool = False
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class IdOf:
    """Stands in inputs for what only Google knows: the id of another resource of the stack, by its name."""

    name: str


@dataclass(frozen=True)
class OutputOf:
    """Stands in inputs for another resource's output, by that one's name: a secret stays one."""

    name: str
    output: str
