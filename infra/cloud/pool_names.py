"""Names of node pools: what makes new nodes makes a new name, so that the new pool comes before the old one goes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from typing import Any

from infra.cloud.accounts import node_service_account
from infra.cloud.node_pool import accelerator_pool_inputs
from infra.plan.class_rules import class_node_config, class_rules
from infra.plan.node_pools import NodePools
from infra.plan.placed import Placed
from infra.spec import Gke

LONGEST_NAME = 40  # GKE: "Node_pool.name must be less than 40 characters", and takes 40
_DIGITS = 5
# Fields of a pool that change without new nodes: all others count, those to come as well.
_IN_PLACE = {"name", "autoscaling", "initialNodeCount", "management", "nodeConfig", "nodeDrainConfigs"}
_IN_PLACE |= {"nodeLocations", "upgradeSettings"}
_IN_PLACE_OF_NODES = {"labels", "resourceLabels", "taints"}


def named(plan: Placed, gke: Gke) -> NodePools:
    """The plan's pools with their names: `STACK-HASH`, of a ladder `STACK-HASH-1` and on, its class `STACK-HASH`.

    A ladder's pools are renamed together, with their class: a pod's class cannot change while it runs. On Autopilot
    the class is named after what it says, so a change of it moves the pods, and nothing else does.
    """
    found = plan.node_pools
    if not found.pools:
        return found
    if found.kind == "autopilot":
        found = dataclasses.replace(found, node_account=node_service_account(gke) or "")
        digest = _digest(plan.stack, *class_rules(plan, found), *class_node_config(found))
        return dataclasses.replace(found, compute_class=cut(plan.stack, f"-{digest}"))
    made = [rebuilding(accelerator_pool_inputs(plan, gke, index)) for index in range(len(found.pools))]
    digest = _digest(plan.stack, *made)
    if len(found.pools) == 1:
        pool = dataclasses.replace(found.pools[0], name=cut(plan.stack, f"-{digest}"))
        return dataclasses.replace(found, pools=(pool,))
    pools = tuple(
        dataclasses.replace(one, name=cut(plan.stack, f"-{digest}-{index}"))
        for index, one in enumerate(found.pools, start=1)
    )
    return dataclasses.replace(found, pools=pools, compute_class=cut(plan.stack, f"-{digest}"))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_DIGITS]


def rebuilding(inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs of a pool whose change replaces it or makes GKE replace its nodes."""
    nodes = {key: value for key, value in inputs["nodeConfig"].items() if key not in _IN_PLACE_OF_NODES}
    return {key: value for key, value in inputs.items() if key not in _IN_PLACE} | {"nodeConfig": nodes}


def cut(stack: str, ending: str) -> str:
    """A stack's name with an ending, in GKE's length. The hash in the ending keeps cut names apart."""
    return f"{stack[: LONGEST_NAME - len(ending)].rstrip('-')}{ending}"
