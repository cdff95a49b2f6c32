"""What a lock file says, and what a plan asks it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

KINDS = ("image", "repository")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Lock:
    """Names that move, and what each is fixed to.

    Attributes:
        images: digest (`sha256:...`) of each image reference that names a tag.
        repositories: commit of each repository of the hub whose branch `main` is meant.
    """

    images: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    repositories: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def of_kind(self, kind: str) -> Mapping[str, str]:
        """One of the two, by the kind of `Use`."""
        return self.images if kind == "image" else self.repositories

    def image(self, reference: str) -> str:
        """A reference with the digest that is locked for it; as it is where none is, or it has one of its own.

        >>> Lock({"caddy:2": "sha256:ab"}).image("caddy:2")
        'caddy:2@sha256:ab'
        """
        digest = None if "@" in reference else self.images.get(reference)
        return reference if digest is None else f"{reference}@{digest}"


NO_LOCK = Lock()


@dataclass(frozen=True, order=True)
class Use:
    """A name that moves, of an image or a repository, which a stack uses; `value` is what fixes it, or None."""

    kind: str
    name: str
    value: str | None

    @property
    def key(self) -> tuple[str, str]:
        """By which it is found among changes of the lock."""
        return self.kind, self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def image_uses(references: Iterable[str], lock: Lock) -> tuple[Use, ...]:
    """Those that name no digest of their own, sorted, each once; an empty reference is no image."""
    names = sorted({one for one in references if one and "@" not in one})
    return tuple(Use("image", name, lock.images.get(name)) for name in names)


def repository_uses(names: Iterable[str], lock: Lock) -> tuple[Use, ...]:
    """Repositories that are fetched at a branch, sorted, each once."""
    return tuple(Use("repository", name, lock.repositories.get(name)) for name in sorted(set(names)))
