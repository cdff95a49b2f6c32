"""`nodePool`: how an endpoint's machines are set up. Absent fields are derived by the plan."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from infra.spec.fields import Strict

FLEX_RUN_SECONDS = (600, 604_800)  # Google: flex-start machines run from 10 minutes to 7 days
RUN_SECONDS = (30, 10_368_000)  # Google: other machines run from 30 seconds to 120 days


class NodePool(Strict):
    """Driver, disks and lifetime of the machines on which an endpoint runs."""

    driverVersion: Literal["default", "latest"] | None = None
    imageStreaming: bool | None = None
    localSsds: Annotated[int, Field(ge=0, le=32)] | None = None
    maxRunSeconds: Annotated[int, Field(ge=RUN_SECONDS[0], le=RUN_SECONDS[1])] | None = None
    bootDiskGb: Annotated[int, Field(ge=50, le=65_536)] | None = None
