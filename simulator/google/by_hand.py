"""What a person does beside the program: makes things, deletes them, puts objects into buckets, sets failures."""

from __future__ import annotations

import threading
from typing import Any

from simulator.google import projects, unmanaged
from simulator.google.buckets import BUCKET, STORAGE
from simulator.google.check import check
from simulator.google.failures import Failures
from simulator.google.named_resource import NamedResource
from simulator.google.resource_ids import project_of
from simulator.google.resource_type import key
from simulator.google.resource_types import RESOURCE_TYPES, token_of
from simulator.google.schema import known_resources
from simulator.google.state import State
from simulator.google.wire import Properties

_PATIENCE_SECONDS = 3600.0


class ByHand:
    """Changes of the state that no program makes. Unknown names are a `ValueError` that says the known ones."""

    def __init__(self, state: State) -> None:
        self._state = state

    def fail(self, name: str, after_half: bool) -> None:
        """Let the next operation on a type fail.

        Args:
            name: The type, as `token_of` takes it.
            after_half: Let it fail only while it runs.
        """
        Failures(self._state).set(_token(name), after_half)

    def put(self, name: str, inputs: Properties) -> str:
        """Make a thing, with its API on; return its id.

        Args:
            name: The type, as `token_of` takes it.
            inputs: As a program would give them, with the project.

        Raises:
            GoogleError: It is refused.
        """
        token = _token(name)
        if token not in RESOURCE_TYPES:
            raise ValueError(f"{name}: make a cluster or a node pool with a program.")
        checked, failures = check(token, "by-hand", {}, inputs, b"")
        if failures:
            raise ValueError("; ".join(failure.text("inputs") for failure in failures))
        kind, project = RESOURCE_TYPES[token], project_of(checked, {})
        with self._state.change() as data:
            projects.turn_on(data, project, kind.service)
        resource = NamedResource(self._state, kind)
        config = {"addPulumiAttributionLabel": False, "project": project, "userProjectOverride": True}
        return str(resource.create(checked, config, _PATIENCE_SECONDS, threading.Event())["id"])

    def forget(self, name: str) -> None:
        """Delete a thing or a cluster, or turn an API off, as in the console; also what nothing manages.

        Args:
            name: Its id, or an end of it that only one has.
        """
        with self._state.change() as data:
            clusters = [one for one in data["clusters"] if one == name or one.endswith(f"/{name}")]
            if len(clusters) == 1:
                del data["clusters"][clusters[0]]
                return
            left = unmanaged.by_name(data, name)
            if len(left) == 1 and not _matching(data, name):
                del data["unmanaged"][left[0]]
                return
            record = _record(data, name)
            NamedResource(self._state, RESOURCE_TYPES[record["type"]]).forget(data, record["id"])

    def put_object(self, bucket: str, name: str) -> None:
        """Put an object into a bucket.

        Args:
            bucket: The bucket's name.
            name: The object's.
        """
        with self._state.change() as data:
            record = data["resources"].get(key(STORAGE, bucket))
            if record is None or record["type"] != BUCKET:
                known = sorted(one["id"] for one in data["resources"].values() if one["type"] == BUCKET)
                raise ValueError(f"unknown bucket {bucket!r}. Known: {', '.join(known) or 'none'}")
            record["made"]["objects"] = sorted({*record["made"].get("objects", []), name})


def _token(name: str) -> str:
    token = token_of(name)
    if token is None:
        raise ValueError(f"{name!r} names no one resource type. Known: {', '.join(known_resources())}")
    return token


def _matching(data: dict[str, Any], name: str) -> list[dict[str, Any]]:
    records = list(data["resources"].values())
    return [one for one in records if one["id"] == name] or [one for one in records if one["id"].endswith(f"/{name}")]


def _record(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = _matching(data, name)
    if len(found) != 1:
        known = ", ".join(sorted([*data["clusters"], *(one["id"] for one in data["resources"].values())])) or "none"
        raise ValueError(f"{name!r} names no one thing. Known: {known}")
    return dict(found[0])
