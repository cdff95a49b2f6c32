"""Where a secret's value is: a Secret in the endpoint's namespace, by name, or a secret of Secret Manager."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, StringConstraints, Tag, model_validator

from infra.spec.fields import SecretName, Strict

# How keys begin that providers give out, and keys that are random bytes: people paste the value in place of the name.
_VALUE = re.compile(
    r"(hf_|nvapi-|sk-|gh[pousr]_|github_pat_|AIza|AKIA|ya29|xox[abprs]-)[A-Za-z0-9_-]{12,}|[0-9a-fA-F]{32,}"
)


def _no_value(name: str) -> str:
    """The name, which a message never repeats where it may be the secret itself."""
    if _VALUE.fullmatch(name.rpartition("/")[2]):
        raise ValueError(
            "this looks like a secret's value; write the secret's name, and change the value, as it leaked."
        )
    return name


# Secret Manager documentation: letters, digits, hyphens and underscores, at most 255 of them.
ManagedName = Annotated[
    str,
    StringConstraints(pattern=r"^(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/secrets/)?[A-Za-z0-9_-]{1,255}$"),
    AfterValidator(_no_value),
]


def _kind_of_version(value: Any) -> str:
    return "<word>" if isinstance(value, str) else "<number>"


Version = Annotated[
    Annotated[Literal["latest"], Tag("<word>")] | Annotated[int, Field(ge=1, le=2**31 - 1), Tag("<number>")],
    Discriminator(_kind_of_version),
]


class ManagedSecret(Strict):
    """A secret of Secret Manager: its name in the platform's project, or with the project that has it."""

    secretManager: ManagedName
    version: Version = "latest"


class ManagedKeys(Strict):
    """Keys with which callers come: while there is a next one, both open."""

    current: ManagedSecret
    next: ManagedSecret | None = None

    @model_validator(mode="after")
    def _two_keys(self) -> ManagedKeys:
        if self.current == self.next:
            raise ValueError("current and next are one and the same; name the next key, or leave next out.")
        return self


def _kind_of_reference(value: Any) -> str:
    return "<managed>" if isinstance(value, dict | ManagedSecret | ManagedKeys) else "<name>"


# Tags in angle brackets are no keys of a file; `infra.spec.problems` leaves them out of messages.
SecretReference = Annotated[
    Annotated[SecretName, Tag("<name>")] | Annotated[ManagedSecret, Tag("<managed>")], Discriminator(_kind_of_reference)
]
KeyReference = Annotated[
    Annotated[SecretName, Tag("<name>")] | Annotated[ManagedKeys, Tag("<managed>")], Discriminator(_kind_of_reference)
]
