"""One engine connection: its log, its configuration, its cancellation."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

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
        cancelled: set by Cancel; awaits end then.
        definitions: scope of the custom resources whose definitions were checked in this run: (group, kind) ->
            whether namespaced (clients CRDCache).
    """

    engine: EngineLog
    configuration: Configuration | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    definitions: dict[tuple[str, str], bool] = field(default_factory=dict)

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
