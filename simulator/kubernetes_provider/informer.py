"""Watches the objects of a kind in a namespace, and hands every change to a queue."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import Final, NamedTuple

from simulator.kubernetes_provider.cluster import Cluster, WatchStream
from simulator.kubernetes_provider.errors import ApiError, NoMatchError, UnreachableError
from simulator.kubernetes_provider.properties import Object

_RESYNC_SECONDS: Final = 60
_RETRY_SECONDS: Final = 1.0

ADDED: Final = "ADDED"
MODIFIED: Final = "MODIFIED"
DELETED: Final = "DELETED"


class Event(NamedTuple):
    """One change of one object.

    Attributes:
        source: the kind of the informer.
        type: ADDED, MODIFIED or DELETED.
        object: the object.
    """

    source: str
    type: str
    object: Object


@dataclass(frozen=True)
class Watched:
    """What an informer follows: a kind in a namespace, narrowed by a field selector where one is given."""

    api_version: str
    kind: str
    namespace: str
    field_selector: str = ""


class Informer:
    """Lists, then watches, in a thread of its own.

    Official behaviour: await/informers: every 60 s all objects are delivered again (resync).
    """

    def __init__(self, cluster: Cluster, watched: Watched, events: queue.SimpleQueue[Event]) -> None:
        self._cluster = cluster
        self._watched = watched
        self._events = events
        self._stopped = threading.Event()
        self._stream: WatchStream | None = None
        self._known: dict[str, Object] = {}
        self._thread = threading.Thread(target=self._run, name=f"informer {watched.kind}", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch and the thread."""
        self._stopped.set()
        stream = self._stream
        if stream is not None:
            stream.stop()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._list_and_watch()
            except (ApiError, NoMatchError, UnreachableError):
                self._stopped.wait(_RETRY_SECONDS)

    def _list_and_watch(self) -> None:
        watched = self._watched
        path = self._cluster.resource(watched.api_version, watched.kind).path(watched.namespace)
        query = {"fieldSelector": watched.field_selector} if watched.field_selector else {}
        answer = self._cluster.request("GET", path, query)
        listed = {item["metadata"]["uid"]: item for item in answer.get("items") or []}
        for uid, item in listed.items():
            self._put(MODIFIED if uid in self._known else ADDED, item)
        for uid in self._known.keys() - listed.keys():
            self._put(DELETED, self._known[uid])
        self._known = listed
        version = (answer.get("metadata") or {}).get("resourceVersion", "")
        window = {"resourceVersion": version, "timeoutSeconds": str(_RESYNC_SECONDS)}
        stream = self._cluster.watch(path, {**query, **window})
        self._stream = stream
        if self._stopped.is_set():
            stream.stop()
        for change in stream:
            kind, item = change.get("type"), change.get("object") or {}
            if kind not in (ADDED, MODIFIED, DELETED):
                return
            uid = (item.get("metadata") or {}).get("uid", "")
            if kind == DELETED:
                self._known.pop(uid, None)
            else:
                self._known[uid] = item
            self._put(str(kind), item)

    def _put(self, kind: str, item: Object) -> None:
        if not self._stopped.is_set():
            named = {"apiVersion": self._watched.api_version, "kind": self._watched.kind, **item}
            self._events.put(Event(self._watched.kind, kind, named))
