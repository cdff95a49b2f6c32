"""Creating, reading, changing and deleting clusters and node pools as the official provider does."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from simulator.google import cluster_outputs, pool_outputs
from simulator.google.cloud import Cloud, cluster_id
from simulator.google.data_sources import place
from simulator.google.errors import (
    GoogleApiError,
    GoogleError,
    OperationCancelledError,
    PartialFailureError,
)
from simulator.google.node_pools import ERROR_STATES, NodePools
from simulator.google.operation import Operation
from simulator.google.wire import Properties

_CLUSTER_PATTERN = re.compile(r"projects/([^/]+)/locations/([^/]+)/clusters/([^/]+)")


class Resource(Protocol):
    """What can be done with one resource type."""

    computed: ClassVar[tuple[str, ...]]
    """Outputs that a preview cannot know."""
    timeouts: ClassVar[Mapping[str, float]]
    """Default timeouts in seconds of create, update and delete."""

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create it; return its outputs with its id."""

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Its outputs and the inputs it was made with, or None if it is gone."""

    def update(self, identifier: str, inputs: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Change it in place; return its outputs."""

    def delete(self, identifier: str, state: Properties, timeout: float, cancelled: threading.Event) -> None:
        """Delete it; one that is gone is fine."""


class ClusterResource:
    """gcp:container/cluster:Cluster."""

    computed: ClassVar[tuple[str, ...]] = cluster_outputs.COMPUTED_OUTPUTS
    timeouts: ClassVar[Mapping[str, float]] = {"create": 2400.0, "update": 3600.0, "delete": 2400.0}

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create a cluster. Errors come without a prefix, as resource_container_cluster.go returns them."""
        project, location = place(inputs, config)
        operation = Operation("creating GKE cluster", timeout, cancelled)
        name = str(inputs["name"])
        record = self._cloud.create_cluster(project, location, name, _known(inputs), operation)
        return cluster_outputs.cluster_outputs(self._cloud.compute, cluster_id(project, location, name), record)

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Read a cluster by projects/P/locations/L/clusters/C, P/L/C or L/C."""
        parts = [part for part in identifier.split("/") if part not in ("projects", "locations", "clusters")]
        if len(parts) == 2 and config.get("project"):
            parts = [str(config["project"]), *parts]
        if len(parts) != 3:
            raise GoogleError(_bad_id(identifier, "clusters/{{name}}"))
        record = self._cloud.get_cluster(parts[0], parts[1], parts[2])
        if record is None:
            return None
        return cluster_outputs.cluster_outputs(self._cloud.compute, cluster_id(*parts), record), record["inputs"]

    def update(self, identifier: str, inputs: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Change a cluster's settings."""
        _, project, _, location, _, name = identifier.split("/")
        operation = Operation("updating GKE cluster", timeout, cancelled)
        record = self._cloud.update_cluster(project, location, name, _known(inputs), operation)
        return cluster_outputs.cluster_outputs(self._cloud.compute, identifier, record)

    def delete(self, identifier: str, state: Properties, timeout: float, cancelled: threading.Event) -> None:
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
        self._cloud.delete_cluster(project, location, name, Operation("deleting GKE cluster", timeout, cancelled))


class NodePoolResource:
    """gcp:container/nodePool:NodePool."""

    computed: ClassVar[tuple[str, ...]] = pool_outputs.COMPUTED_OUTPUTS
    timeouts: ClassVar[Mapping[str, float]] = dict.fromkeys(("create", "update", "delete"), 7200.0)

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create a node pool, as resourceContainerNodePoolCreate does.

        It looks first whether the pool exists ("resource - ID - already exists"); Google's refusals get the
        prefix "error creating NodePool: "; a pool that exists in an error state is kept and reported.
        """
        project, location, cluster = self._parent(inputs, config)
        name = str(inputs["name"])
        identifier = f"{cluster_id(project, location, cluster)}/nodePools/{name}"
        operation = Operation("creating GKE NodePool", timeout, cancelled)
        try:
            pools = self._cloud.pools(project, location, cluster)
            if pools.get(name) is not None:
                raise GoogleError(f"resource - {identifier} - already exists")
            record = pools.create(name, _known(inputs), operation)
        except GoogleApiError as error:
            raise GoogleError(f"error creating NodePool: {error}") from error
        except OperationCancelledError:
            record = pools.get(name) or {"inputs": _known(inputs), "nodes": {}, "status": "PROVISIONING"}
            return self._outputs(pools, identifier, record) | {"operation": "operation-cancelled"}
        except GoogleError as error:
            left = pools.get(name)
            if left is None or "already exists" in str(error):
                raise
            text = f'NodePool "{identifier}" has state "{left["status"]}" with message "{left["message"]}"'
            raise PartialFailureError(identifier, self._outputs(pools, identifier, left), text) from error
        outputs = self._outputs(pools, identifier, record)
        if record["status"] in ERROR_STATES:
            text = f'NodePool {name} was created in the error state "{record["status"]}"'
            raise PartialFailureError(identifier, outputs, text)
        return outputs

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Read a pool by projects/P/locations/L/clusters/C/nodePools/N, P/L/C/N or L/C/N."""
        words = ("projects", "locations", "clusters", "nodePools")
        parts = [part for part in identifier.split("/") if part not in words]
        if len(parts) == 3 and config.get("project"):
            parts = [str(config["project"]), *parts]
        if len(parts) != 4:
            raise GoogleError(_bad_id(identifier, "clusters/{{cluster}}/nodePools/{{name}}"))
        project, location, cluster, name = parts
        if self._cloud.get_cluster(project, location, cluster) is None:
            return None
        pools = self._cloud.pools(project, location, cluster)
        record = pools.get(name)
        if record is None:
            return None
        return self._outputs(pools, pools.full_name(name), record), record["inputs"]

    def update(self, identifier: str, inputs: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Change a pool in place."""
        _, project, _, location, _, cluster, _, name = identifier.split("/")
        pools = self._cloud.pools(project, location, cluster)
        record = pools.update(name, _known(inputs), Operation("updating GKE node pool", timeout, cancelled))
        outputs = self._outputs(pools, identifier, record)
        if record["status"] in ERROR_STATES:
            raise PartialFailureError(identifier, outputs, record["message"])
        return outputs

    def delete(self, identifier: str, state: Properties, timeout: float, cancelled: threading.Event) -> None:
        """Delete a pool; with deletionPolicy ABANDON it is only forgotten."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        _, project, _, location, _, cluster, _, name = identifier.split("/")
        if state.get("deletionPolicy") == "PREVENT":
            raise GoogleError(f"Cannot destroy {identifier} as deletion_policy is set to PREVENT")
        if self._cloud.get_cluster(project, location, cluster) is None:
            return
        pools = self._cloud.pools(project, location, cluster)
        pools.delete(name, Operation("deleting GKE NodePool", timeout, cancelled))

    def _parent(self, inputs: Properties, config: Properties) -> tuple[str, str, str]:
        """The cluster: an id that says all, or a name with the pool's own project and location."""
        cluster = str(inputs["cluster"])
        match = _CLUSTER_PATTERN.fullmatch(cluster)
        if match:
            return match[1], match[2], match[3]
        return (*place(inputs, config), cluster)

    def _outputs(self, pools: NodePools, identifier: str, record: dict[str, Any]) -> Properties:
        _, project, _, location, _, cluster, _, name = identifier.split("/")
        zones = pools.zones(record["inputs"])
        return pool_outputs.pool_outputs(self._cloud.compute, project, location, cluster, zones, name, record)


def _known(inputs: Properties) -> Properties:
    return {key: value for key, value in inputs.items() if key != "__defaults" and value is not None}


def _bad_id(identifier: str, ending: str) -> str:
    """The text is tpgresource.ParseImportId's, from memory."""
    return (
        f'Import id "{identifier}" doesn\'t match any of the accepted formats: '
        f"[projects/{{{{project}}}}/locations/{{{{location}}}}/{ending}]"
    )
