"""What a cluster and its pools must find: network, subnetwork, ranges, accounts; and what Autopilot refuses."""

from __future__ import annotations

from typing import Any

from simulator.google.errors import bad_request
from simulator.google.machine_types import is_region, region_of
from simulator.google.networks import LINK, network_id, network_inputs
from simulator.google.projects import COMPUTE
from simulator.google.resource_type import key
from simulator.google.service_accounts import check_node_account
from simulator.google.subnetworks import subnetwork_id
from simulator.google.wire import Properties

_RANGES = {"clusterSecondaryRangeName": "Pod", "servicesSecondaryRangeName": "Services"}


def check_cluster(data: dict[str, Any], project: str, location: str, inputs: Properties) -> None:
    """What Google looks at before it makes a cluster.

    Raises:
        GoogleApiError: An Autopilot cluster in a zone (GoogleCloudPlatform/ai-on-gke #628), or something that it
            names is not there.
    """
    if inputs.get("enableAutopilot") and not is_region(location):
        raise bad_request("Autopilot clusters must be regional clusters.")
    _check_network(data, project, location, inputs)
    for config in _node_configs(inputs):
        check_node_account(data, config)


def check_takes_pools(data: dict[str, Any], full_name: str, pool: Properties) -> None:
    """Whether a pool may be put into a cluster.

    Raises:
        GoogleApiError: The cluster is an Autopilot one (steampipe-plugin-gcp #591), or the nodes' account or the
            pods' range is not there.
    """
    cluster = data["clusters"].get(full_name)
    if cluster is not None and cluster["inputs"].get("enableAutopilot"):
        raise bad_request("Autopilot node pools cannot be accessed or modified.")
    check_node_account(data, pool.get("nodeConfig") or {})
    wanted = pool.get("networkConfig") or {}
    if cluster is None or not wanted.get("podRange") or wanted.get("createPodRange"):
        return
    _, project, _, location, _, _ = full_name.split("/")
    network = network_id(project, str(cluster["inputs"].get("network") or "default"))
    given = wanted.get("subnetwork") or cluster["inputs"].get("subnetwork") or network.rpartition("/")[2]
    subnetwork = subnetwork_id(network.split("/")[1], region_of(location), str(given))
    record = data["resources"].get(key(COMPUTE, subnetwork))
    _check_range(record, "Pod", str(wanted["podRange"]), network, subnetwork)


def _node_configs(inputs: Properties) -> list[Properties]:
    pools = [pool.get("nodeConfig") or {} for pool in inputs.get("nodePools") or []]
    automatic = (inputs.get("clusterAutoscaling") or {}).get("autoProvisioningDefaults") or {}
    return [inputs.get("nodeConfig") or {}, automatic, *pools]


def _check_network(data: dict[str, Any], project: str, location: str, inputs: Properties) -> None:
    """Network, subnetwork and secondary ranges that are named must be there.

    The words: jenkins-x/jx #908 for a network, cilium.io #764 for a missing subnetwork,
    terraform-provider-google #7895 for one that is not the network's, gcp-gke-clusters-ingress #2 for a range of
    pods (that of services by analogy).
    """
    network = network_id(project, str(inputs.get("network") or "default"))
    made_with = network_inputs(data, network)
    name = network.rpartition("/")[2]
    if made_with is None:
        raise bad_request(f'project "{network.split("/")[1]}" has no network named "{name}".')
    given = inputs.get("subnetwork")
    automatic = made_with.get("autoCreateSubnetworks", True)
    if not given and not automatic:
        raise bad_request(f'Network "{name}" uses manual subnet mode and requires specifying a subnetwork.')
    subnetwork = subnetwork_id(network.split("/")[1], region_of(location), str(given or name))
    record = data["resources"].get(key(COMPUTE, subnetwork))
    if record is None and not (automatic and subnetwork.rpartition("/")[2] == name):
        raise bad_request(f'Subnetwork "{subnetwork}" is not valid for Network "{name}".')
    if record is not None and network_id(record["project"], str(record["inputs"]["network"])) != network:
        raise bad_request(f'Subnetwork "{subnetwork}" is not valid for Network "{name}".')
    for field, kind in _RANGES.items():
        wanted = (inputs.get("ipAllocationPolicy") or {}).get(field)
        if wanted:
            _check_range(record, kind, str(wanted), network, subnetwork)


def _check_range(record: dict[str, Any] | None, kind: str, wanted: str, network: str, subnetwork: str) -> None:
    ranges = (record["inputs"].get("secondaryIpRanges") if record else None) or []
    if wanted not in {one.get("rangeName") for one in ranges}:
        short = subnetwork.rpartition("/")[2]
        text = f'{kind} secondary range "{wanted}" not found in network "{LINK}{network}", subnetwork "{short}".'
        raise bad_request(text)


def range_of(data: dict[str, Any], project: str, location: str, inputs: Properties, field: str) -> str | None:
    """The addresses of a secondary range that a cluster names; None when it names none."""
    wanted = (inputs.get("ipAllocationPolicy") or {}).get(field)
    if not wanted or not inputs.get("subnetwork"):
        return None
    subnetwork = subnetwork_id(project, region_of(location), str(inputs["subnetwork"]))
    record = data["resources"].get(key(COMPUTE, subnetwork)) or {"inputs": {}}
    ranges = record["inputs"].get("secondaryIpRanges") or []
    return next((one.get("ipCidrRange") for one in ranges if one.get("rangeName") == wanted), None)
