"""A node pool of single-host TPU slices: every node is a slice of its own."""

from __future__ import annotations

from typing import Any


def tpu_node(node: dict[str, Any]) -> dict[str, Any]:
    """`nodeConfig` of such a pool: the machine type alone says chips and topology.

    Neither accelerators nor a driver are named, and no placement policy, which slices over several machines need
    (GKE documentation, how-to/tpus; AI-Hypercomputer/tpu-recipes Gemma4-MTP; public Terraform of such pools). The
    network driver is left to GKE, as in all of them.
    """
    return {key: value for key, value in node.items() if key != "gvnic"}
