"""GKE node pools as the official provider makes, reads, changes and deletes them."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any, ClassVar

from simulator.google import cluster_rules, pool_outputs
from simulator.google.cloud import Cloud, cluster_id
from simulator.google.data_sources import place
from simulator.google.errors import GoogleApiError, GoogleError, OperationCancelledError, PartialFailureError
from simulator.google.failures import Failures
from simulator.google.node_pools import ERROR_STATE, NodePools
from simulator.google.operation import Operation
from simulator.google.projects import CONTAINER, check_call
from simulator.google.resources import bad_id, known
from simulator.google.schema import NODE_POOL
from simulator.google.wire import Properties

_ERROR_STATES = (ERROR_STATE, "ERROR")
"""Statuses of a pool that the provider reports as errors (resource_container_node_pool.go.tmpl)."""
_CLUSTER_PATTERN = re.compile(r"projects/([^/]+)/locations/([^/]+)/clusters/([^/]+)")


class NodePoolResource:
    """gcp:container/nodePool:NodePool."""

    computed: ClassVar[tuple[str, ...]] = pool_outputs.COMPUTED_OUTPUTS
    timeouts: ClassVar[Mapping[str, float]] = dict.fromkeys(("create", "update", "delete"), 7200.0)

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._failures = Failures(cloud.state)

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create a node pool, as resourceContainerNodePoolCreate does.

        It looks first whether the pool exists ("resource - ID - already exists"); Google's refusals get the
        prefix "error creating NodePool: "; a pool that exists in an error state is kept and reported.
        """
        project, location, cluster = self._parent(inputs, config)
        name = str(inputs["name"])
        identifier = f"{cluster_id(project, location, cluster)}/nodePools/{name}"
        operation = Operation("creating GKE NodePool", timeout, cancelled)
        failure = self._failures.take(NODE_POOL)
        try:
            self._call(project, identifier)
            if failure is not None and not failure.after_half:
                raise failure.error()
            cluster_rules.check_takes_pools(self._cloud.state.read(), cluster_id(project, location, cluster), inputs)
            pools = self._cloud.pools(project, location, cluster)
            if pools.get(name) is not None:
                raise GoogleError(f"resource - {identifier} - already exists")
            record = pools.create(name, known(inputs), operation)
        except GoogleApiError as error:
            raise GoogleError(f"error creating NodePool: {error}") from error
        except OperationCancelledError:
            record = pools.get(name) or {"inputs": known(inputs), "nodes": {}, "status": "PROVISIONING"}
            return self._outputs(pools, identifier, record) | {"operation": "operation-cancelled"}
        except GoogleError as error:
            left = pools.get(name)
            if left is None or "already exists" in str(error):
                raise
            text = f'NodePool "{identifier}" has state "{left["status"]}" with message "{left["message"]}"'
            raise PartialFailureError(identifier, self._outputs(pools, identifier, left), text) from error
        if failure is not None:
            record = self._break(identifier, failure.message)
        outputs = self._outputs(pools, identifier, record)
        if record["status"] in _ERROR_STATES:
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
            raise GoogleError(bad_id(identifier, "clusters/{{cluster}}/nodePools/{{name}}"))
        project, location, cluster, name = parts
        if self._cloud.get_cluster(project, location, cluster) is None:
            return None
        pools = self._cloud.pools(project, location, cluster)
        record = pools.get(name)
        if record is None:
            return None
        return self._outputs(pools, pools.full_name(name), record), record["inputs"]

    def update(
        self,
        identifier: str,
        inputs: Properties,
        config: Properties,  # noqa: ARG002
        timeout: float,
        cancelled: threading.Event,
    ) -> Properties:
        """Change a pool in place."""
        _, project, _, location, _, cluster, _, name = identifier.split("/")
        self._call(project, identifier)
        self._fail_at_once()
        pools = self._cloud.pools(project, location, cluster)
        record = pools.update(name, known(inputs), Operation("updating GKE node pool", timeout, cancelled))
        outputs = self._outputs(pools, identifier, record)
        if record["status"] in _ERROR_STATES:
            raise PartialFailureError(identifier, outputs, record["message"])
        return outputs

    def delete(
        self,
        identifier: str,
        state: Properties,
        config: Properties,  # noqa: ARG002
        timeout: float,
        cancelled: threading.Event,
    ) -> None:
        """Delete a pool; with deletionPolicy ABANDON it is only forgotten."""
        if state.get("deletionPolicy") == "ABANDON":
            return
        _, project, _, location, _, cluster, _, name = identifier.split("/")
        if state.get("deletionPolicy") == "PREVENT":
            raise GoogleError(f"Cannot destroy {identifier} as deletion_policy is set to PREVENT")
        if self._cloud.get_cluster(project, location, cluster) is None:
            return
        self._call(project, identifier)
        self._fail_at_once()
        pools = self._cloud.pools(project, location, cluster)
        pools.delete(name, Operation("deleting GKE NodePool", timeout, cancelled))

    def _call(self, project: str, identifier: str) -> None:
        check_call(self._cloud.state.read(), project, CONTAINER, "cluster", "update", identifier)

    def _fail_at_once(self) -> None:
        failure = self._failures.take(NODE_POOL)
        if failure is not None:
            raise failure.error()

    def _break(self, identifier: str, message: str) -> dict[str, Any]:
        """Leave the pool that was just made in an error state."""
        cluster, _, name = identifier.partition("/nodePools/")
        with self._cloud.state.change() as data:
            record: dict[str, Any] = data["clusters"][cluster]["nodePools"][name]
            record |= {"status": ERROR_STATE, "message": message}
        return record

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
