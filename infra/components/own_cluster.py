"""An endpoint on a cluster that is there: found by its context, and looked at before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from infra.catalog.loader import load_catalog
from infra.cluster.check import demand, verdict
from infra.cluster.declared import missing
from infra.cluster.reading import read_cluster
from infra.components.cluster_access import ClusterAccess
from infra.components.kubernetes import is_server
from infra.errors import PlatformError
from infra.plan.serving_plan import ServingPlan
from infra.spec import Kubernetes


def find_own_cluster(
    platform: str, cluster: Kubernetes, plan: ServingPlan, objects: Sequence[dict[str, Any]]
) -> ClusterAccess:
    """How to reach the platform's cluster, which has nodes for all replicas of the endpoint.

    Raises:
        PlatformError: no such context, no answer, or nodes that can never hold the replicas.
    """
    state = read_cluster(platform, cluster.context)
    server = next(one for one in objects if is_server(one))
    wanted = demand(
        server["spec"]["template"]["spec"],
        accelerator=plan.accelerator.type,
        resource=plan.accelerator.resource,
        replicas=plan.machines,
        namespace=plan.stack,
    )
    found = verdict(wanted, state.nodes, state.pods, load_catalog().node_labels)
    where = f"platform '{platform}', context '{cluster.context}'"
    if found.problems:
        step = f"Next: servestack nodes {platform}"
        raise PlatformError("\n".join([*(f"{where}: {one}" for one in found.problems), step]))
    for warning in found.warnings:
        pulumi.log.warn(f"{where}: {warning}")
    return ClusterAccess(state.kubeconfig, state.identifier, secret=True)


def check_platform(platform: str, cluster: Kubernetes) -> None:
    """See that the cluster has every node that the platform's file declares.

    Raises:
        PlatformError: no such context, no answer, or fewer nodes.
    """
    state = read_cluster(platform, cluster.context)
    lines = missing(cluster.nodes, state.nodes, load_catalog())
    if lines:
        raise PlatformError("\n".join([f"platform '{platform}', context '{cluster.context}':", *lines]))
