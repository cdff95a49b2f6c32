"""Records of the labels by which nodes of any cluster say which accelerator they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LabelFamily:
    """Labels of one kind of cluster.

    Attributes:
        key: of the label whose value names the accelerator; None where only the machine type does.
        always: labels beside it.
        instance_type: whether the machine type has to be named.
        taints: keys and values of taints that such nodes may have beside the GPU's own.
        values: by accelerator, its values; pods select the first.
    """

    name: str
    display_name: str
    key: str | None
    always: tuple[tuple[str, str], ...]
    instance_type: bool
    taints: tuple[tuple[str, str], ...]
    values: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class SharedMark:
    """A label that shows that a node's GPUs are no whole ones, unless its value is a plain one."""

    key: str
    plain: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class NodeLabels:
    """Every family by name, and what is the same for all of them."""

    families: dict[str, LabelFamily]
    instance_type_key: str
    product_key: str
    shared: tuple[SharedMark, ...]


def node_labels(facts: Mapping[str, Any], gke: Mapping[str, str]) -> NodeLabels:
    """The records of `node_labels.yaml`.

    Args:
        facts: the file.
        gke: GKE's own name of each GPU, which stands with the accelerator.
    """
    return NodeLabels(
        families={row["name"]: _family(row, gke) for row in facts["families"]},
        instance_type_key=facts["instance_type_key"],
        product_key=facts["product_key"],
        shared=tuple(SharedMark(one["key"], tuple(one["plain"]), one["meaning"]) for one in facts["shared"]),
    )


def _family(row: Mapping[str, Any], gke: Mapping[str, str]) -> LabelFamily:
    values = {name: (value,) for name, value in gke.items()} if row["name"] == "gke" else row["values"]
    return LabelFamily(
        name=row["name"],
        display_name=row["display_name"],
        key=row["key"],
        always=tuple(sorted(row["always"].items())),
        instance_type=row["instance_type"],
        taints=tuple((one["key"], one["value"]) for one in row["taints"]),
        values={name: tuple(found) for name, found in values.items()},
    )
