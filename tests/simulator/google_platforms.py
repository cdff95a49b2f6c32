"""What a platform declares, made through the stand-in in its order, as the engine would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google_harness import Engine

from infra.cloud.resource import CloudResource, IdOf
from simulator.google.wire import from_struct


@dataclass(frozen=True)
class Made:
    """One resource that was made: as declared, its URN, and its checked inputs and outputs."""

    declared: CloudResource
    urn: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


def make_all(gcp: Engine, resources: Iterable[CloudResource]) -> list[Made]:
    ids: dict[str, str] = {}
    made = []
    for one in resources:
        urn = f"urn:pulumi:dev::servestack::{one.token}::{one.name}"
        answer = gcp.check(urn, _known(one.inputs, ids))
        assert not answer.failures, (one.name, answer.failures)
        inputs = from_struct(answer.inputs)
        created = gcp.create(urn, inputs)
        ids[one.name] = created.id
        made.append(Made(one, urn, inputs, from_struct(created.properties)))
    return made


def _known(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, IdOf):
        return ids[value.name]
    if isinstance(value, dict):
        return {key: _known(one, ids) for key, one in value.items()}
    return [_known(one, ids) for one in value] if isinstance(value, list) else value
