"""What the managed endpoints hold over all projects and regions, what has arrived, and what is to go wrong."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any

from simulator.errors import SimulatorError
from simulator.managed.faults import Call, Fault, Outcome
from simulator.managed.google import VERTEX, Google
from simulator.managed.limits import Limits
from simulator.managed.operation import Operation
from simulator.managed.region import Region

_VERSION = 1


class World:
    """Everything, in memory; with a file, endpoints and models outlive the process, operations do not.

    Whoever reads or changes it from outside holds `lock`.

    Attributes:
        google: the rest of the cloud.
        lock: held while a call is carried out.
        over: set when the server ends; a held-back answer waits for it.
        calls: what has arrived, the last `recorded` of it.
        faults: what calls meet; used up by them.
        outcomes: how the next deployments go.
        limits: requests per minute.
        licence_asked: whether Model Garden asks for an accepted licence.
        licence_accepted: whether it was.
        late_conflict: whether a taken id is told only by the operation.
        locked_while_deploying: whether an endpoint cannot be deleted while a deployment runs.
        strange_operations: whether lists hold an operation that clients do not know.
    """

    def __init__(self, google: Google | None = None, path: Path | None = None, recorded: int = 10_000) -> None:
        """Begin with what the file holds.

        Args:
            google: the rest of the cloud; None for one where every API is on and no key is known.
            path: a JSON file that need not exist yet; None to keep nothing.
            recorded: how many calls to remember. They hold the callers' keys, in memory only.

        Raises:
            SimulatorError: the file is not one of ours.
        """
        self.google = google or Google()
        self.lock = threading.RLock()
        self.over = threading.Event()
        self.calls: deque[Call] = deque(maxlen=recorded)
        self.faults: list[Fault] = []
        self.outcomes: list[Outcome] = []
        self.limits = Limits()
        self.licence_asked = False
        self.licence_accepted = False
        self.late_conflict = False
        self.locked_while_deploying = False
        self.strange_operations = False
        self._path = path
        self._regions: dict[str, Region] = {}
        self._count = 0
        self._written = ""
        self._read()

    def region(self, project: str, location: str) -> Region:
        """One project's region, made when first named.

        Args:
            project: id or number.
            location: such as "us-central1".

        Raises:
            ApiError: the Vertex AI API is off there.
        """
        self.google.check(project, VERTEX)
        return self._region(f"projects/{self.google.number(project)}/locations/{location}")

    def _region(self, parent: str) -> Region:
        return self._regions.setdefault(parent, Region(self, parent))

    def regions(self) -> list[Region]:
        """All that were ever named."""
        return list(self._regions.values())

    def made(self) -> dict[str, list[str]]:
        """Ids of what there is."""
        with self.lock:
            regions = self.regions()
            return {
                "endpoints": sorted(one for region in regions for one in region.endpoints),
                "models": sorted(one for region in regions for one in region.models),
            }

    def routes(self) -> list[str]:
        """Names of the routes that were called, in order."""
        with self.lock:
            return [call.route for call in self.calls]

    def fault(self, route: str) -> Fault | None:
        """The fault that a call of a route meets, counted."""
        for one in self.faults:
            if one.route == route and one.times:
                if one.after:
                    one.after -= 1
                    return None
                one.times -= 1
                return one
        return None

    def count(self) -> int:
        """A number that was not given before."""
        self._count += 1
        return self._count

    def end_all(self) -> None:
        """Time passes: what runs, and ever ends, ends."""
        with self.lock:
            for operation in self.all_operations():
                if not operation.done and operation.looks is not None:
                    operation.end()

    def all_operations(self) -> list[Operation]:
        """Of all regions."""
        return [operation for region in self.regions() for operation in region.operations.values()]

    def save(self) -> None:
        """Write the file where something has changed, in one step."""
        if self._path is None:
            return
        kept = {
            region.parent: {"endpoints": region.endpoints, "models": region.models}
            for region in self.regions()
            if region.endpoints or region.models
        }
        text = json.dumps({"version": _VERSION, "count": self._count, "regions": kept}, indent=1, sort_keys=True)
        if text != self._written:
            scratch = self._path.with_suffix(f".{os.getpid()}.new")
            scratch.write_text(text + "\n")
            scratch.replace(self._path)
            self._written = text

    def _read(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            data: dict[str, Any] = json.loads(self._path.read_text())
            if data["version"] != _VERSION:
                raise ValueError("another version")
            self._count = int(data["count"])
            for parent, kept in data["regions"].items():
                region = self._region(parent)
                region.endpoints, region.models = dict(kept["endpoints"]), dict(kept["models"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SimulatorError(
                f"{self._path}: what the simulated Vertex AI remembers cannot be read: {error}.\n"
                "Put back a copy, or run `make clean`, which forgets all that is simulated."
            ) from error
