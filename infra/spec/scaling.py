"""How an endpoint is scaled between its fewest and its most replicas: metric, target, schedule."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.cron import checked_cron
from infra.spec.fields import Strict

_HIGHEST_SHARE = 0.9  # Kubernetes does nothing while a reading is within a tenth of its target
Metric = Literal["kv-cache", "queue", "running"]
Cron = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9A-Za-z*?/,-]+( [0-9A-Za-z*?/,-]+){0,9}$", max_length=100),
    AfterValidator(checked_cron),
]
TimeZone = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$", max_length=64)]


class Hours(Strict):
    """A time that comes again, and the fewest replicas during it."""

    start: Cron
    end: Cron
    timezone: TimeZone
    min: Annotated[int, Field(ge=1, le=100)]

    @model_validator(mode="after")
    def _has_a_length(self) -> Hours:
        if self.start == self.end:
            raise ValueError("start and end are the same; KEDA refuses such a schedule.")
        return self


class Scaling(Strict):
    """What the number of replicas follows. `target` is per replica, of kv-cache a share of the cache."""

    metric: Metric = "queue"
    target: Annotated[float, Field(ge=0.01, le=1024)] | None = None
    schedule: Annotated[list[Hours], Field(min_length=1, max_length=10)] | None = None

    @model_validator(mode="after")
    def _share(self) -> Scaling:
        if self.metric == "kv-cache" and self.target is not None and self.target > _HIGHEST_SHARE:
            raise ValueError(
                "the target of kv-cache is a share of the cache, at most 0.9: what is within a tenth changes nothing."
            )
        return self
