"""Google's refusals of how machines are bought, and of TPU slices."""

from __future__ import annotations

from typing import Any

import pytest
from pool_samples import FLEX, H100, QUEUED, RESERVED, TPU, changed, refusal

REFUSALS = [
    ({"nodeConfig.flexStart": True}, "Flex Start provisioning model is incompatible with Spot"),
    (
        FLEX | {"nodeConfig.reservationAffinity": None},
        "Flex_start requires reservation affinity to be set to none.",
    ),
    (FLEX | {"management.autoRepair": True}, "Flex_start requires node auto-repair to be disabled."),
    (FLEX | {"autoscaling": None}, "Flex_start requires autoscaling to be enabled."),
    (
        FLEX | {"nodeConfig.maxRunDuration": "300s"},
        "MaxRunDuration is not within the allowed range (10 minutes - 7 days). Got 300 seconds.",
    ),
    (
        FLEX | {"nodeConfig.maxRunDuration": "604801s"},
        "MaxRunDuration is not within the allowed range (10 minutes - 7 days). Got 604801 seconds.",
    ),
    (
        {"nodeConfig.maxRunDuration": "20s"},
        "MaxRunDuration is not within the allowed range (30 seconds - 120 days). Got 20 seconds.",
    ),
    ({"nodeConfig.maxRunDuration": "600"}, "Illegal duration format; duration must end with 's', \"600\""),
    (FLEX | {"upgradeSettings.strategy": "SURGE"}, "SHORT_LIVED is the only strategy supported by DWS node pools."),
    (
        QUEUED | {"nodeConfig.reservationAffinity": None},
        "Queued_provisioning requires reservation affinity to be set to none.",
    ),
    (QUEUED | {"autoscaling": None}, "Queued_provisioning requires autoscaling to be enabled."),
    (
        {"nodeConfig.spot": None, "nodeConfig.reservationAffinity": RESERVED},
        "Machine type a3-highgpu-1g is not available with provisioning model RESERVATION_BOUND",
    ),
    ({"nodeConfig.reservationAffinity": RESERVED}, "Spot node pools cannot consume reservations."),
    (
        {"nodeConfig.reservationAffinity": RESERVED | {"key": None}},
        'needs the key "compute.googleapis.com/reservation-name"',
    ),
]


@pytest.mark.parametrize(("edits", "words"), REFUSALS)
def test_a_way_of_buying_that_breaks_a_rule_is_refused(edits: dict[str, Any], words: str) -> None:
    assert words in refusal(changed(H100, edits))


TPU_REFUSALS = [
    ({"placementPolicy.tpuTopology": "1x1"}, "TPU topology 1x1 is not supported with machine type ct6e-standard-4t."),
    ({"placementPolicy.tpuTopology": "4x1"}, "TPU topology 4x1 is not supported with machine type ct6e-standard-4t."),
    (
        {"placementPolicy.tpuTopology": "4x4"},
        "Maximum node count 0 is not a valid size of TPU pod slice with topology 4x4",
    ),
    (
        {"placementPolicy.tpuTopology": "4x4", "autoscaling": {"maxNodeCount": 4}},
        "TPU topology 4x4 needs 4 hosts of ct6e-standard-4t: such slices are not simulated.",
    ),
    (
        {"nodeConfig.guestAccelerators": [{"type": "nvidia-l4", "count": 1}]},
        "GPU type nvidia-l4 with count 1 is not supported with machine type ct6e-standard-4t.",
    ),
    ({"nodeLocations": ["us-central1-a"]}, "Invalid machine type ct6e-standard-4t in zone us-central1-a"),
]


@pytest.mark.parametrize(("edits", "words"), TPU_REFUSALS)
def test_a_tpu_pool_that_breaks_a_rule_is_refused(edits: dict[str, Any], words: str) -> None:
    assert refusal(TPU) == ""
    assert words in refusal(changed(TPU, edits))
