"""`kubernetes`: a platform on any cluster, found by the context of a kubeconfig."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, field_validator, model_validator

from infra.document import quoted
from infra.errors import nearest
from infra.spec.exposure import LABEL_KEY, LABEL_VALUE, PodLabelKey, PodLabelValue
from infra.spec.fields import Strict, Word

LabelFamilyName = Literal["aks", "eks", "eks-auto", "gke", "karpenter", "nvidia"]
LABEL_FAMILIES: tuple[str, ...] = get_args(LabelFamilyName)
BY_INSTANCE_TYPE = ("aks", "eks")
CPU = "cpu"
_MOST_LABELS = 8
_KEY, _VALUE = re.compile(LABEL_KEY.removesuffix("$") + r"\Z"), re.compile(LABEL_VALUE.removesuffix("$") + r"\Z")
# Whatever kubectl takes as a context, such as EKS's own ARNs, but no spaces, quotes or control characters.
Context = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._:/@-]{0,251}[A-Za-z0-9])?$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]


class NodeGroup(Strict):
    """Machines that are alike, and how their nodes are found. `labels` is a family's name or the labels themselves."""

    accelerator: Word
    count: Annotated[int, Field(ge=1, le=16)] | None = None
    vcpus: Annotated[int, Field(ge=1, le=1024)]
    memoryGiB: Annotated[int, Field(ge=1, le=32768)]
    machines: Annotated[int, Field(ge=1, le=1000)]
    labels: LabelFamilyName | Annotated[dict[PodLabelKey, PodLabelValue], Field(min_length=1, max_length=_MOST_LABELS)]
    instanceType: InstanceType | None = None

    @field_validator("labels", mode="before")
    @classmethod
    def _family_or_pairs(cls, value: Any) -> Any:
        if isinstance(value, str) and value not in LABEL_FAMILIES:
            raise ValueError(f"unknown {quoted(value)}. {nearest(value, LABEL_FAMILIES)} Or write {{key: value}}.")
        if not isinstance(value, str | dict):
            raise ValueError(f"expected one of {', '.join(LABEL_FAMILIES)}, or {{key: value, ...}}.")
        if isinstance(value, dict) and not 1 <= len(value) <= _MOST_LABELS:
            raise ValueError(f"from 1 to {_MOST_LABELS} labels; there are {len(value)}.")
        for key, one in value.items() if isinstance(value, dict) else ():
            if not (isinstance(key, str) and isinstance(one, str) and _KEY.match(key) and _VALUE.match(one)):
                raise ValueError(f"{quoted(key)}: {quoted(one)} is no label of a node.")
        return value

    @model_validator(mode="after")
    def _enough_to_find_them(self) -> NodeGroup:
        named = isinstance(self.labels, str)
        if (self.accelerator == CPU) != (self.count is None):
            said = "processors are not counted; leave count out" if self.count else "write count, GPUs of one machine"
            raise ValueError(f"{said}.")
        if self.accelerator == CPU and named:
            raise ValueError("those labels are of GPUs; write {key: value} of the nodes with accelerator cpu.")
        if self.labels in BY_INSTANCE_TYPE and self.instanceType is None:
            raise ValueError(
                f"labels of {self.labels} do not name the GPU; write instanceType, or labels as {{key: value}}."
            )
        if self.instanceType is not None and not (named and self.labels in BY_INSTANCE_TYPE):
            raise ValueError(
                f"instanceType goes with labels {' or '.join(BY_INSTANCE_TYPE)}; leave it out, labels name the nodes."
            )
        return self


class Kubernetes(Strict):
    """A cluster that is there. Nothing is made on it but the endpoints' own objects."""

    context: Context
    nodes: Annotated[list[NodeGroup], Field(max_length=20)] = []
    readOnlyRoot: bool = False
