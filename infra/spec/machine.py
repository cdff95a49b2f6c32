"""`host` and `local`: platforms that are one machine."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from infra.spec.fields import Strict


class Host(Strict):
    """A Mac or Linux machine that is there and is reached by SSH."""

    address: Annotated[
        str, StringConstraints(pattern=r"^([a-z_][a-z0-9_-]{0,31}@)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
    ]
    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None


class Local(Strict):
    """This machine."""

    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None
    processors: Annotated[int, Field(ge=1, le=1024)] | None = None
