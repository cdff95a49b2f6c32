"""A node pool of single-host TPU slices: every node is a slice of its own."""

from __future__ import annotations

from typing import Any


def tpu_node(node: dict[str, Any]) -> dict[str, Any]:
    """`nodeConfig` of such a pool: the machine type alone says chips and topology.

    Neither accelerators nor a driver are named, and no topology, which slices over several machines need: "TPU topology
    can't be specified with single-host TPU slice pool", says GKE (a public report of Gemma 4 on ct6e-standard-1t,
    1.36.3; so in AI-Hypercomputer/tpu-recipes Gemma4-MTP). The network driver is left to GKE, as in both.
    """
    return {key: value for key, value in node.items() if key != "gvnic"}
