"""`weights`: which weights, and where they come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints, model_validator

from infra.spec.fields import Commit, Repository, Strict
from infra.spec.secrets import SecretReference

# Folders of a volume, below its root: no segment begins with a dot, so none leads upwards.
Folder = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95}){0,5}$", max_length=200
    ),
]
ClaimName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$", max_length=63),
]
ServiceAccountEmail = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9-]{4,28}[a-z0-9]\.iam\.gserviceaccount\.com$"
    ),
]
AccessMode = Literal["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"]


def _not_googles(name: str) -> str:
    """Names that Cloud Storage keeps for itself (Cloud Storage documentation, bucket naming)."""
    if name.startswith("goog") or "google" in name or "g00gle" in name:
        raise ValueError("Cloud Storage allows no bucket whose name begins with 'goog' or has 'google' in it.")
    return name


# Without dots: such a name is a domain, and its owner has to prove that.
Bucket = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{1,61}[a-z0-9]$"), AfterValidator(_not_googles)]

# A file of this machine: absolute, no segment begins with a dot, so none leads upwards.
GgufFile = Annotated[
    str,
    StringConstraints(
        pattern=r"^(/[A-Za-z0-9_][A-Za-z0-9._ -]{0,127}){1,16}\.gguf$",
        max_length=400,
    ),
]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_NEEDED = {
    "file": ("file",),
    "tiny": (),
    "hugging-face": (),
    "pvc": ("claim", "path", "accessMode"),
    "gcs": ("bucket", "path"),
}
_ALLOWED = {
    "file": {"file", "sha256"},
    "tiny": {"keep"},
    "hugging-face": {"keep", "revision", "tokenSecret"},
    "pvc": {"claim", "path", "accessMode"},
    "gcs": {"bucket", "path", "serviceAccount", "privateGoogleAccess"},
}


class Weights(Strict):
    """Where the weights come from, and which of several checkpoints of one precision."""

    source: Literal["file", "gcs", "hugging-face", "pvc", "tiny"] = "hugging-face"
    checkpoint: Repository | None = None
    revision: Commit | None = None
    tokenSecret: SecretReference | None = None
    claim: ClaimName | None = None
    accessMode: AccessMode | None = None
    bucket: Bucket | None = None
    path: Folder | None = None
    serviceAccount: ServiceAccountEmail | None = None
    privateGoogleAccess: bool = False
    file: GgufFile | None = None
    sha256: Sha256 | None = None
    keep: bool = True

    @model_validator(mode="after")
    def _of_its_source(self) -> Weights:
        missing = [name for name in _NEEDED[self.source] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"source {self.source} needs {' and '.join(missing)}.")
        others = self.model_fields_set - {"source", "checkpoint"} - _ALLOWED[self.source]
        if others:
            raise ValueError(f"source {self.source} has no {' and no '.join(sorted(others))}; leave it out.")
        return self
