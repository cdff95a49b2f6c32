"""Types of the fields of stack files: what characters and ranges they may have."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

# Endings of names that are answered inside a cluster, a project or a site (RFC 6761, RFC 6762, GKE's metadata server).
_INSIDE = ("arpa", "internal", "invalid", "local", "localhost", "svc", "test")


def _pinned(reference: str) -> str:
    tag = reference.rpartition("/")[2].partition("@")[0].partition(":")[2]
    if "@" not in reference and not tag:
        raise ValueError(f"{reference} names no version; write {reference}:TAG, or better {reference}@sha256:DIGEST.")
    if tag == "latest":
        raise ValueError("the tag latest is a moving image; name a version, or better a digest (@sha256:...).")
    return reference


def _public(domain: str) -> str:
    if domain.rpartition(".")[2] in _INSIDE:
        raise ValueError(f"{domain} is answered inside the network; only public names may be fetched from.")
    return domain


API_VERSION = "servestack/v1"
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,38}[a-z0-9]$"

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]
LabelKey = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9_-]{0,61}[a-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$")]
Argument = Annotated[str, StringConstraints(pattern=r"^--[a-z0-9][a-z0-9-]*(=[A-Za-z0-9._,:/@+-]+)?$", max_length=200)]
Input = Literal["audio", "image", "text", "video"]
CAPACITIES = ("flex-start", "on-demand", "reservation", "spot")
ReservationName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$")]
REPOSITORY_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$"
Repository = Annotated[str, StringConstraints(pattern=REPOSITORY_PATTERN)]
ImageReference = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9][a-z0-9.-]{0,99}(:[0-9]{1,5})?(/[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?){1,6}"
        r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$",
        max_length=255,
    ),
    AfterValidator(_pinned),
]
DomainName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$", max_length=253
    ),
    AfterValidator(_public),
]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
SecretName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")]
Sentence = Annotated[str, StringConstraints(pattern=r"^\S.{8,198}\S$")]
ClusterName = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$")]


# Label keys that Google keeps for itself, and those by which this project knows what it made and who may call.
_RESERVED_LABEL = re.compile(r"goog-.*|servestack-.*|client-of|endpoint|managed-by|stack")


def _unreserved(labels: dict[str, str]) -> dict[str, str]:
    taken = sorted(key for key in labels if _RESERVED_LABEL.fullmatch(key))
    if taken:
        raise ValueError(f"reserved: {', '.join(taken)}; use another key, such as team.")
    return labels


Labels = Annotated[dict[LabelKey, LabelValue], Field(max_length=16), AfterValidator(_unreserved)]


def _network(text: str) -> str:
    try:
        ipaddress.IPv4Network(text)
    except ValueError as fault:
        raise ValueError(f"{fault}; write an IPv4 range such as 10.129.0.0/23.") from None
    return text


# Its bits beyond the prefix are 0, and the prefix is at least 8 long.
Ipv4Range = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/([89]|[12][0-9]|3[0-2])$"),
    AfterValidator(_network),
]


class Strict(BaseModel):
    """A mapping of a stack file: unknown keys are refused, and nothing is converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)
