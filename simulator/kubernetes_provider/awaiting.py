"""Waits until an object is ready: the loop that all awaiters share."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import Final

from simulator.kubernetes_provider.cluster import Cluster
from simulator.kubernetes_provider.engine_log import WARNING, OperationLog
from simulator.kubernetes_provider.errors import ApiError, AwaitError, NoMatchError
from simulator.kubernetes_provider.informer import ADDED, DELETED, Event, Informer, Watched
from simulator.kubernetes_provider.names import metadata_text
from simulator.kubernetes_provider.properties import Object

_CANCEL_CHECK_SECONDS: Final = 0.25


@dataclass(frozen=True)
class AwaitRequest:
    """What to wait for.

    Attributes:
        cluster: the API server.
        live: the object as the create or update answered.
        previous: the live object before an update, or None after a create.
        log: statuses go here.
        timeout_seconds: how long to wait.
        cancelled: set when the user cancels.
    """

    cluster: Cluster
    live: Object
    previous: Object | None
    log: OperationLog
    timeout_seconds: float
    cancelled: threading.Event


class Awaiter:
    """Follows one object and those that belong to it, and knows when it is ready.

    Subclasses override what differs for their kind.
    """

    tick_seconds: float | None = None
    """Seconds between calls of `tick`; None for never."""

    rearms = False
    """Whether every event starts the timeout again."""

    timeout_text = "'{name}' timed out waiting to be Ready"
    cancelled_text = 'Resource operation was cancelled for "{name}"'

    def __init__(self, request: AwaitRequest) -> None:
        self.request = request
        self.log = request.log
        self.live = request.live
        self.name = metadata_text(request.live, "name")
        self.namespace = metadata_text(request.live, "namespace")

    def watched(self) -> list[Watched]:
        """What to watch besides nothing; the first is the object's own kind."""
        own = Watched(str(self.live.get("apiVersion")), str(self.live.get("kind")), self.namespace)
        return [own]

    def begin(self) -> None:
        """Called once before the first event of a wait."""

    def handle(self, event: Event) -> None:
        """Takes in one change.

        Raises:
            AwaitError: the object can never become ready.
        """

    def settle_at(self) -> float | None:
        """When `ready` should be asked again without an event (monotonic seconds), or None."""
        return None

    def tick(self) -> None:
        """Called every `tick_seconds`."""

    def ready(self) -> bool:
        """Whether the wait is over; may send a status."""
        raise NotImplementedError

    def ready_at_timeout(self) -> bool:
        """Whether a wait that ran out, or was cancelled, counts as a success after all."""
        return False

    def prepare_read(self) -> None:
        """Called after the point-in-time events of a read check."""

    def sub_errors(self) -> list[str]:
        """What is missing, for the error."""
        return []

    def is_own(self, event: Event) -> bool:
        """Whether the event is about the object itself."""
        return event.source == self.live.get("kind") and metadata_text(event.object, "name") == self.name


def wait(awaiter: Awaiter) -> None:
    """Waits until the object is ready.

    Official behaviour: the select loops of provider/pkg/await. Warning events about the object itself are shown
    as status warnings (watchers.go NewEventAggregator).

    Raises:
        AwaitError: timeout, cancellation, or a failure that waiting cannot cure.
    """
    request = awaiter.request
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    informers = [Informer(request.cluster, watched, events) for watched in awaiter.watched()]
    uid = metadata_text(request.live, "uid")
    own_events = Watched("v1", "Event", awaiter.namespace or "default", f"involvedObject.uid={uid}")
    informers.append(Informer(request.cluster, own_events, events))
    for informer in informers:
        informer.start()
    try:
        _loop(awaiter, events)
    finally:
        for informer in informers:
            informer.stop()


def _loop(awaiter: Awaiter, events: queue.SimpleQueue[Event]) -> None:
    request = awaiter.request
    deadline = time.monotonic() + request.timeout_seconds
    next_tick = time.monotonic() + awaiter.tick_seconds if awaiter.tick_seconds else None
    awaiter.begin()
    while not awaiter.ready():
        now = time.monotonic()
        if request.cancelled.is_set() or now >= deadline:
            if awaiter.ready_at_timeout():
                return
            text = awaiter.cancelled_text if request.cancelled.is_set() else awaiter.timeout_text
            raise AwaitError(text.format(name=awaiter.name), awaiter.live, awaiter.sub_errors())
        if next_tick is not None and awaiter.tick_seconds and now >= next_tick:
            next_tick = now + awaiter.tick_seconds
            awaiter.tick()
        moments = [deadline, now + _CANCEL_CHECK_SECONDS, next_tick, awaiter.settle_at()]
        until = min(moment for moment in moments if moment is not None)
        try:
            event = events.get(timeout=max(0.0, until - now))
        except queue.Empty:
            continue
        if awaiter.rearms:
            deadline = time.monotonic() + request.timeout_seconds
        _deliver(awaiter, event)


def _deliver(awaiter: Awaiter, event: Event) -> None:
    if event.source == "Event":
        if event.type != DELETED and event.object.get("type") == "Warning":
            reason, message = event.object.get("reason"), event.object.get("message")
            awaiter.log.status(WARNING, f"{reason}: {message}")
        return
    awaiter.handle(event)


def check_now(awaiter: Awaiter) -> None:
    """Checks once, without waiting, whether the object is ready; used by refresh.

    Official behaviour: the Read methods of the awaiters.

    Raises:
        AwaitError: it is not.
    """
    own, *others = awaiter.watched()
    awaiter.handle(Event(own.kind, ADDED, awaiter.live))
    for watched in others:
        try:
            items = awaiter.request.cluster.items(watched.api_version, watched.kind, watched.namespace)
        except (ApiError, NoMatchError):
            continue
        for item in items:
            awaiter.handle(Event(watched.kind, ADDED, item))
    awaiter.prepare_read()
    if not awaiter.ready():
        text = f"Resource '{awaiter.name}' was created but failed to initialize"
        raise AwaitError(text, awaiter.live, awaiter.sub_errors())


def is_owned_by(obj: Object, owner: Object | None) -> bool:
    """Whether `owner` is among the object's owner references."""
    if owner is None:
        return False
    uid = metadata_text(owner, "uid")
    references = (obj.get("metadata") or {}).get("ownerReferences") or []
    return any(reference.get("uid") == uid for reference in references)
