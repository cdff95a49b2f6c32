"""One engine connection: its log, its configuration, its cancellation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from simulator.kubernetes_provider.configuration import Configuration
from simulator.kubernetes_provider.engine_log import EngineLog, OperationLog
from simulator.kubernetes_provider.errors import NoMatchError, ProviderError
from simulator.kubernetes_provider.kinds import CLUSTER_SCOPED, is_built_in
from simulator.kubernetes_provider.properties import Object


@dataclass
class Session:
    """One engine connection, which is one Provider resource of a program.

    The official plugin is one process with one global state per Provider resource; the stand-in serves all from
    one port and tells them apart by their connection.

    Attributes:
        engine: the engine's log.
        cancelled: set by Cancel, and for one call also when its connection ends; retries and awaits end then.
        calls: what ends the calls under way.
        definitions: scope of the custom resources whose definitions were checked in this run: (group, kind) ->
            whether namespaced (clients CRDCache).
    """

    engine: EngineLog
    configuration: Configuration | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    definitions: dict[tuple[str, str], bool] = field(default_factory=dict)
    calls: set[threading.Event] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def call(self, when_over: Callable[[Callable[[], None]], bool]) -> Iterator[Session]:
        """This session for one call: `cancelled` is also set when the engine hangs up or is killed.

        Officially the plugin ends with its engine, so that nothing goes on behind the user's back: an object
        whose create was still retrying must not appear minutes later.

        Args:
            when_over: calls its argument when the call is over; returns False if it is over already.
        """
        ended = threading.Event()
        with self.lock:
            self.calls.add(ended)
            if self.cancelled.is_set():
                ended.set()
        if not when_over(ended.set):
            ended.set()
        try:
            yield replace(self, cancelled=ended)
        finally:
            with self.lock:
                self.calls.discard(ended)

    def cancel(self) -> None:
        """Ends the waits and retries of all calls, and of those to come."""
        with self.lock:
            self.cancelled.set()
            for ended in self.calls:
                ended.set()

    @property
    def configured(self) -> Configuration:
        """The configuration.

        Raises:
            ProviderError: the engine never sent one.
        """
        if self.configuration is None:
            raise ProviderError("the Kubernetes provider was used before it was configured")
        return self.configuration

    def log_for(self, urn: str) -> OperationLog:
        """The log of a new operation."""
        return OperationLog(self.engine, urn)

    def is_namespaced(self, api_version: str, kind: str) -> bool:
        """Whether objects of a kind live in namespaces.

        Official behaviour: clients.IsNamespacedKind: the built-in table, the definitions checked in this run,
        then the server; a kind that nobody knows counts as namespaced.
        """
        api_version = api_version.removeprefix("core/")
        if is_built_in(api_version):
            return kind not in CLUSTER_SCOPED
        known = self.definitions.get((api_version.rpartition("/")[0], kind))
        if known is not None:
            return known
        configuration = self.configuration
        if configuration is None or configuration.cluster is None or configuration.unreachable:
            return True
        try:
            return configuration.cluster.resource(api_version, kind).namespaced
        except NoMatchError:
            return True

    def remember_definition(self, obj: Object) -> None:
        """Keeps the scope that a custom resource definition declares."""
        spec = obj.get("spec")
        if not isinstance(spec, dict):
            return
        names = spec.get("names")
        kind = names.get("kind") if isinstance(names, dict) else None
        if isinstance(kind, str) and isinstance(spec.get("group"), str):
            self.definitions[(spec["group"], kind)] = spec.get("scope") != "Cluster"
