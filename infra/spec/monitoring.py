"""Who reads the endpoints' metrics: a field of Platform files."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import StringConstraints, model_validator

from infra.document import quoted
from infra.errors import nearest
from infra.spec.fields import Labels, Strict

MonitoringKind = Literal["managed-prometheus", "none", "prometheus-operator"]
MONITORING_KINDS: tuple[str, ...] = get_args(MonitoringKind)
_NamespaceName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Monitoring(Strict):
    """What scrapes metrics and evaluates alerts.

    Attributes:
        namespace: where the operator's Prometheus runs, and alone is admitted from.
        labels: by which that Prometheus selects monitors and rules.
    """

    kind: MonitoringKind
    namespace: _NamespaceName | None = None
    labels: Labels = {}

    @model_validator(mode="before")
    @classmethod
    def _by_word(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in MONITORING_KINDS:
            raise ValueError(f"unknown {quoted(value)}. {nearest(value, MONITORING_KINDS)}")
        return {"kind": value}

    @model_validator(mode="after")
    def _details_of_the_operator(self) -> Monitoring:
        if self.kind != "prometheus-operator" and (self.namespace or self.labels):
            raise ValueError(f"namespace and labels are those of prometheus-operator; {self.kind} has none.")
        return self
