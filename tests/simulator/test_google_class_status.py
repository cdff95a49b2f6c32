"""A ComputeClass that no node can serve is accepted, never scales, and says in its status what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from class_samples import L4, MAKES, RTX, pool
from scaling_harness import Scaling

NEVER_SCALES = [
    (
        {"a": pool(taint=False)},
        [{"nodepools": ["a"]}],
        "NodepoolMisconfigured",
        "TaintMissing",
        "Crd taint is missing for the nodepool a.",
    ),
    (
        {"a": pool(label=False)},
        [{"nodepools": ["a"]}],
        "NodepoolMisconfigured",
        "CrdLabelNotMatching",
        "Crd label doesn't match Crd name for the nodepool a.",
    ),
    (
        {"a": pool() | {"autoscaling": None}},
        [{"nodepools": ["a"]}],
        "CrdMisconfigured",
        "NodePoolNotExist",
        "Nodepool a specified by name has autoscaling disabled or doesn't exist in the cluster.",
    ),
    (
        {"a": pool()},
        [{"nodepools": ["b"]}],
        "NodepoolMisconfigured",
        "NoRuleMatching",
        "Nodepool a has an Crd label but doesn't match any priority rule.",
    ),
    (
        {"a": pool(taints=[{"key": "cloud.google.com/compute-class", "value": "d", "effect": "NO_SCHEDULE"}])},
        [{"nodepools": ["a"]}],
        "NodepoolMisconfigured",
        "TaintValueNotMatching",
        "Crd taint value doesn't match Crd name for the nodepool a.",
    ),
    (
        {},
        [{"nodepools": ["a"]}],
        "CrdMisconfigured",
        "NodePoolNotExist",
        "Nodepool a specified by name has autoscaling disabled or doesn't exist in the cluster.",
    ),
]


@pytest.mark.parametrize(("pools", "rungs", "kind", "reason", "text"), NEVER_SCALES)
def test_a_class_whose_pools_are_not_its_own_never_scales_and_says_so(
    tmp_path: Path, pools: dict[str, Any], rungs: list[dict[str, Any]], kind: str, reason: str, text: str
) -> None:
    scaling = Scaling(tmp_path, pools)
    scaling.add_class("c", rungs)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(3)
    assert scaling.nodes() == []
    assert scaling.conditions("c")[kind] == ("True", reason, text)
    assert scaling.conditions("c")["Health"] == ("False", "Health", "Crd is not healthy.")


BAD_RULES = [
    ({"machineType": "g9-standard-1"}, "MachineTypeNotFound", "Machine type g9-standard-1 is not a known type."),
    ({"machineFamily": "z9"}, "MachineFamilyNotFound", "Machine family z9 is not a known family."),
    (
        {"machineType": "a4x-highgpu-4g", "spot": True, "location": {"zones": ["us-central1-b"]}},
        "UnavailableMachineType",
        "Machine type a4x-highgpu-4g is not available in any of auto provisioned zones, last zone check error: "
        "Invalid machine type a4x-highgpu-4g in zone us-central1-b: resource not found",
    ),
    (
        L4 | {"gpu": {"type": "nvidia-l4", "count": 2}},
        "NoSuitableMachineExists",
        "GPU type nvidia-l4 with count 2 is not supported with machine type g2-standard-8.",
    ),
    (
        {"gpu": {"type": "nvidia-l4", "count": 3}},
        "NoSuitableMachineExists",
        "GPU type nvidia-l4 with count 3 is not supported.",
    ),
    ({"gpu": {"type": "tesla", "count": 1}}, "NoSuitableMachineExists", "GPU type tesla is not supported."),
    (
        RTX | {"storage": {"bootDiskType": "pd-balanced"}},
        "NoSuitableMachineExists",
        "Disk type pd-balanced is not supported with machine type g4-standard-48.",
    ),
    (
        L4 | {"storage": {"localSSDCount": 2}},
        "NoSuitableMachineExists",
        "Local SSD count 2 is not supported with machine type g2-standard-8.",
    ),
    (
        L4 | {"reservations": {"affinity": "Specific", "specific": [{"name": "r"}]}},
        "ReservationNotFound",
        'Reservation "r" either does not exist or not accessible.',
    ),
    (
        L4 | {"location": {"zones": ["us-east1-b"]}},
        "LocationNotEnabledForAutoprovisioning",
        "Location us-east1-b specified in zonal preferences is not eligible for autoprovisioning. Available locations: "
        "[us-central1-a us-central1-b us-central1-c us-central1-f]",
    ),
]


@pytest.mark.parametrize(("rule", "reason", "text"), BAD_RULES)
def test_a_rule_that_no_node_can_meet_is_accepted_never_scales_and_says_why(
    tmp_path: Path, rule: dict[str, Any], reason: str, text: str
) -> None:
    scaling = Scaling(tmp_path)
    scaling.add_class("c", [rule], **MAKES)
    scaling.add_pod("p", chosen="c")
    scaling.rounds(3)
    assert scaling.nodes() == []
    assert scaling.conditions("c")["CrdMisconfigured"] == ("True", reason, text)
    assert scaling.conditions("c")["Health"][0] == "False"
