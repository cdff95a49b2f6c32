"""`google`: a platform that is a Google Cloud project, for managed endpoints alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from infra.spec.fields import Strict


class Google(Strict):
    """A project and the region in which managed endpoints run. It has no machines of its own."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    location: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}$")]
