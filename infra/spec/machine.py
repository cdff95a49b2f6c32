"""`host` and `local`: platforms that are one machine, or several of one kind."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.fields import Strict

# Letter or digit first, so that no address is an option of ssh; nothing that a shell reads.
SshAddress = Annotated[
    str, StringConstraints(pattern=r"^([a-z_][a-z0-9_-]{0,31}@)?[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$")
]
_PROXY = r"^https://[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+){0,8}$"


def _without_secret(text: str) -> str:
    """The address, which a message never repeats: people write passwords into addresses."""
    if len(text) > 400 or not re.fullmatch(_PROXY, text):
        raise ValueError(
            "write an address such as https://mlx.example.com, without user, password, query and last slash."
        )
    return text


class Host(Strict):
    """Macs, or a Linux machine, that are there and are reached by SSH."""

    address: SshAddress | None = None
    addresses: Annotated[list[SshAddress], Field(max_length=16)] = []
    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None
    interface: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,14}$")] | None = None
    reverseProxy: (
        Annotated[str, AfterValidator(_without_secret), Field(json_schema_extra={"pattern": _PROXY})] | None
    ) = None
    keepWeights: bool = True

    @property
    def machines(self) -> tuple[str, ...]:
        """Addresses of all of them."""
        return (self.address,) if self.address is not None else tuple(self.addresses)

    @model_validator(mode="after")
    def _named_once(self) -> Host:
        if (self.address is None) == (not self.addresses):
            raise ValueError("a host has an address, or several addresses: [ME@MAC-1, ME@MAC-2]; one of the two.")
        repeated = next((one for index, one in enumerate(self.addresses) if one in self.addresses[:index]), None)
        if repeated:
            raise ValueError(f"{repeated} stands twice; each machine is one replica.")
        if self.interface is not None and self.reverseProxy is not None:
            raise ValueError(
                "interface is for callers that come to the machine itself; leave it out beside reverseProxy."
            )
        return self


class Local(Strict):
    """This machine."""

    memoryGiB: Annotated[int, Field(ge=1, le=8192)] | None = None
    processors: Annotated[int, Field(ge=1, le=1024)] | None = None
