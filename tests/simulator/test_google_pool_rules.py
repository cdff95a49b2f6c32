"""Google's refusals of node pools: each rule, with its words."""

from __future__ import annotations

from typing import Any

import pytest
from pool_samples import FLEX, H100, QUEUED, RESERVED, changed, refusal

from simulator.google.errors import GoogleError
from simulator.google.machine_types import MachineType, load
from simulator.google.pool_rules import check_name

REFUSALS = [
    (
        {"nodeConfig.spot": None},
        "Machine type a3-highgpu-1g is not available with provisioning model STANDARD",
    ),
    (
        {"nodeConfig.machineType": "a3-highgpu-2g"},
        "GPU type nvidia-h100-80gb with count 1 is not supported with machine type a3-highgpu-2g.",
    ),
    (
        {"nodeConfig.guestAccelerators": [{"type": "nvidia-l4", "count": 1}]},
        "GPU type nvidia-l4 with count 1 is not supported with machine type a3-highgpu-1g.",
    ),
    (
        {"nodeConfig.guestAccelerators": None},
        "Machine type a3-highgpu-1g comes with 1 nvidia-h100-80gb",
    ),
    (
        {"nodeConfig.machineType": None},
        "Cannot use default machine type (e2-medium) with GPUs; choose a different machine type.",
    ),
    (
        {"nodeConfig.machineType": "a3-highgpu-3g"},
        "Invalid machine type a3-highgpu-3g in zone us-central1-a: resource not found",
    ),
    (
        {"nodeConfig.guestAccelerators": [{"type": "nvidia-h1oo", "count": 1}]},
        'Accelerator type "nvidia-h1oo" does not exist in zone us-central1-a.',
    ),
    (
        {"nodeLocations": ["us-central1-a", "us-central1-f"]},
        'Accelerator type "nvidia-h100-80gb" does not exist in zone us-central1-f.',
    ),
    ({"nodeLocations": ["us-east4-a"]}, 'Location "us-east4-a" is not a zone of region "us-central1"'),
    ({"nodeLocations": ["us-central1-d"]}, 'Location "us-central1-d" is not a zone of region "us-central1"'),
    (
        {"nodeConfig.diskType": "pd-standard"},
        "pd-standard disk type cannot be used by a3-highgpu-1g machine type.",
    ),
    (
        {"nodeConfig.ephemeralStorageLocalSsdConfig": {"localSsdCount": 1}},
        "Local SSD count 1 is not supported with machine type a3-highgpu-1g.",
    ),
    (
        {
            "nodeConfig.guestAccelerators": [
                {
                    "type": "nvidia-h100-80gb",
                    "count": 1,
                    "gpuDriverInstallationConfig": {"gpuDriverVersion": "NEWEST"},
                }
            ]
        },
        'GPUDriverVersion), "NEWEST"',
    ),
    (
        {"autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 0}},
        "Node_pool_autoscaling.max_node_count and node_pool_autoscaling.total_max_node_count cannot be both set to "
        "zero.",
    ),
    (
        {"autoscaling": {"totalMaxNodeCount": 1, "maxNodeCount": 1}},
        "Node_pool_autoscaling.max_node_count and node_pool_autoscaling.total_max_node_count cannot be both set.",
    ),
    (
        {"autoscaling": {"totalMinNodeCount": 3, "totalMaxNodeCount": 1}},
        "Node_pool_autoscaling.total_min_node_count (3) must not be greater than",
    ),
    (
        {"management.autoUpgrade": False},
        "Auto_upgrade must be true when release_channel REGULAR is set.",
    ),
    (
        {"nodeConfig.labels": {"cloud.google.com/gke-accelerator": "x"}},
        'Node labels with key "cloud.google.com/gke-accelerator" are managed by GKE and must not be manually '
        "specified.",
    ),
    (
        {"initialNodeCount": 1, "nodeCount": 1},
        "Cannot set both initial_node_count and node_count on node pool pool",
    ),
    (
        {"nodeConfig.gcfsConfig": {"enabled": True}, "nodeConfig.imageType": "UBUNTU_CONTAINERD"},
        "Image streaming is not supported with image type UBUNTU_CONTAINERD",
    ),
    ({"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 0}}, "Max_surge and max_unavailable cannot both be 0."),
    (
        {"nodeConfig.localNvmeSsdBlockConfig": {"localSsdCount": 1}},
        "Local SSD count 1 is not supported with machine type a3-highgpu-1g.",
    ),
    (
        {"nodeConfig.guestAccelerators": [{"type": "nvidia-h100-80gb", "count": 1, "gpuPartitionSize": "1g.24gb"}]},
        "GPU partition size 1g.24gb is not supported for GPU type nvidia-h100-80gb.",
    ),
    (
        {"placementPolicy": {"type": "COMPACT", "tpuTopology": "2x2"}},
        "TPU topology 2x2 is not supported with machine type a3-highgpu-1g.",
    ),
]


@pytest.mark.parametrize(("edits", "words"), REFUSALS)
def test_a_pool_that_breaks_a_rule_is_refused_in_googles_words(edits: dict[str, Any], words: str) -> None:
    assert words in refusal(changed(H100, edits))


@pytest.mark.parametrize(
    "edits",
    [
        {},
        FLEX,
        FLEX | {"nodeConfig.maxRunDuration": "604800s"},
        {"nodeConfig.maxRunDuration": "3600s"},
        QUEUED,
        {"nodeConfig.gcfsConfig": {"enabled": True}},
        {"upgradeSettings": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}},
        {"nodeConfig.ephemeralStorageLocalSsdConfig": {"localSsdCount": 2}},
        {"nodeLocations": ["us-central1-a", "us-central1-c"]},
    ],
)
def test_a_correct_pool_is_accepted(edits: dict[str, Any]) -> None:
    assert refusal(changed(H100, edits)) == ""


def test_api_refusals_have_the_form_of_googles_client_library() -> None:
    assert refusal(changed(H100, {"nodeConfig.diskType": "pd-standard"})) == (
        "googleapi: Error 400: pd-standard disk type cannot be used by a3-highgpu-1g machine type., badRequest"
    )


@pytest.mark.parametrize("name", ["Pool", "1pool", "pool-", "po_ol"])
def test_a_name_with_a_wrong_letter_is_refused(name: str) -> None:
    with pytest.raises(GoogleError, match="Must be a match of regex"):
        check_name("node_pool.name", name)


def test_a_long_name_is_refused() -> None:
    check_name("node_pool.name", "a" * 40)
    with pytest.raises(GoogleError, match=r"Node_pool\.name must be less than 40 characters\."):
        check_name("node_pool.name", "a" * 41)


def _pool_of(machine_type: MachineType, model: str) -> tuple[str, dict[str, Any]]:
    """The smallest correct pool of a machine type, bought in a given way, and its zone."""
    compute = load()
    offered = None
    config: dict[str, Any] = {"machineType": machine_type.name}
    pool: dict[str, Any] = {
        "initialNodeCount": 0,
        "autoscaling": {"totalMaxNodeCount": 1},
        "nodeConfig": config,
    }
    if machine_type.accelerator:
        config["guestAccelerators"] = [{"type": machine_type.accelerator, "count": machine_type.gpus}]
        offered = compute.accelerators[machine_type.accelerator].zones
    elif machine_type.tpu:
        offered = compute.tpus[machine_type.tpu].zones
    if model == "spot":
        config["spot"] = True
    elif model == "flex_start":
        config |= {"flexStart": True, "reservationAffinity": {"consumeReservationType": "NO_RESERVATION"}}
        pool["management"] = {"autoRepair": False, "autoUpgrade": True}
    elif model == "reservation":
        config["reservationAffinity"] = RESERVED
    zone = min(offered) if offered else "us-central1-a"
    pool["nodeLocations"] = [zone]
    return zone, pool


@pytest.mark.parametrize("machine_type", load().machine_types.values(), ids=lambda one: one.name)
def test_every_machine_type_makes_a_pool_in_each_way_it_can_be_bought(machine_type: MachineType) -> None:
    for model in ("on_demand", "spot", "flex_start", "reservation"):
        zone, pool = _pool_of(machine_type, model)
        assert (refusal(pool, zone) == "") == (model in machine_type.provisioning), (
            model,
            refusal(pool, zone),
        )


def test_the_table_names_only_zones_that_exist() -> None:
    compute = load()
    for accelerator in (*compute.accelerators.values(), *compute.tpus.values()):
        for zone in accelerator.zones or ():
            assert zone.rsplit("-", 1)[1] in "abcdefz", zone


def test_bundled_gpus_are_an_allowed_count_of_a_known_model() -> None:
    compute = load()
    for machine_type in compute.machine_types.values():
        if machine_type.accelerator:
            assert machine_type.gpus in compute.accelerators[machine_type.accelerator].counts, machine_type.name
