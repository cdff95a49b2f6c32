"""GKE clusters as the official provider makes, reads, changes and deletes them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.google import cluster_outputs
from simulator.google.cloud import Cloud, cluster_id
from simulator.google.data_sources import place
from simulator.google.errors import GoogleError, PartialFailureError
from simulator.google.failures import Failures
from simulator.google.labels import provider_labels
from simulator.google.operation import Operation
from simulator.google.projects import CONTAINER, check_call
from simulator.google.resources import bad_id, known
from simulator.google.schema import CLUSTER
from simulator.google.wire import Properties

TAINTED = "__tainted"
"""Output that marks a cluster whose creation failed half-way: whatever the inputs, it is to be replaced."""


class ClusterResource:
    """gcp:container/cluster:Cluster."""

    computed: ClassVar[tuple[str, ...]] = cluster_outputs.COMPUTED_OUTPUTS
    timeouts: ClassVar[Mapping[str, float]] = {"create": 2400.0, "update": 3600.0, "delete": 2400.0}

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._failures = Failures(cloud.state)

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create a cluster. Errors come without a prefix, as resource_container_cluster.go returns them.

        One whose operation fails is there in an error state, and is kept as tainted (magic-modules #8978): the
        next update replaces it.
        """
        project, location = place(inputs, config)
        operation = Operation("creating GKE cluster", timeout, cancelled)
        name = str(inputs["name"])
        identifier = cluster_id(project, location, name)
        self._call(project, "create", identifier)
        failure = self._failures.take(CLUSTER)
        if failure is not None and not failure.after_half:
            raise failure.error()
        breaks = failure.message if failure is not None else ""
        record = self._cloud.create_cluster(project, location, name, known(inputs), operation, breaks)
        with self._cloud.state.change() as data:
            data["clusters"][identifier]["providerLabels"] = record["providerLabels"] = provider_labels(config)
        outputs = self._outputs(identifier, record)
        if record["status"] == "ERROR":
            raise PartialFailureError(identifier, outputs, f"Error waiting for creating GKE cluster: {breaks}")
        return outputs

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Read a cluster by projects/P/locations/L/clusters/C, P/L/C or L/C."""
        parts = [part for part in identifier.split("/") if part not in ("projects", "locations", "clusters")]
        if len(parts) == 2 and config.get("project"):
            parts = [str(config["project"]), *parts]
        if len(parts) != 3:
            raise GoogleError(bad_id(identifier, "clusters/{{name}}"))
        record = self._cloud.get_cluster(parts[0], parts[1], parts[2])
        if record is None:
            return None
        self._call(parts[0], "get", cluster_id(*parts))
        return self._outputs(cluster_id(*parts), record), record["inputs"]

    def update(
        self,
        identifier: str,
        inputs: Properties,
        config: Properties,  # noqa: ARG002
        timeout: float,
        cancelled: threading.Event,
    ) -> Properties:
        """Change a cluster's settings."""
        _, project, _, location, _, name = identifier.split("/")
        operation = Operation("updating GKE cluster", timeout, cancelled)
        self._call(project, "update", identifier)
        failure = self._failures.take(CLUSTER)
        if failure is not None:
            raise failure.error()
        record = self._cloud.update_cluster(project, location, name, known(inputs), operation)
        return self._outputs(identifier, record)

    def delete(
        self,
        identifier: str,
        state: Properties,
        config: Properties,  # noqa: ARG002
        timeout: float,
        cancelled: threading.Event,
    ) -> None:
        """Delete a cluster unless its state says that it is protected.

        The text is the Terraform provider's, as many public runs show it.
        """
        if state.get("deletionProtection", True):
            raise GoogleError(
                "Cannot destroy cluster because deletion_protection is set to true. "
                "Set it to false to proceed with cluster deletion."
            )
        if state.get("deletionPolicy") == "ABANDON":
            return
        _, project, _, location, _, name = identifier.split("/")
        if self._cloud.get_cluster(project, location, name) is None:
            return
        self._call(project, "delete", identifier)
        failure = self._failures.take(CLUSTER)
        if failure is not None:
            raise failure.error()
        self._cloud.delete_cluster(project, location, name, Operation("deleting GKE cluster", timeout, cancelled))

    def _call(self, project: str, verb: str, identifier: str) -> None:
        check_call(self._cloud.state.read(), project, CONTAINER, "cluster", verb, identifier)

    def _outputs(self, identifier: str, record: dict[str, Any]) -> Properties:
        outputs = cluster_outputs.cluster_outputs(self._cloud.compute, identifier, record)
        return outputs | ({TAINTED: True} if record["status"] == "ERROR" else {})
