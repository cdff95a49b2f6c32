"""Record of the proxy that stands before every engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Proxy:
    """Reverse proxy that asks callers for a key.

    Attributes:
        image: with `{version}` where the version goes.
        digest: of the image, or None where none is known.
        capabilities: what its container needs after all capabilities are dropped.
    """

    name: str
    display_name: str
    version: str
    image: str
    digest: str | None
    capabilities: tuple[str, ...]
    licence: str
    sources: tuple[str, ...]

    @property
    def reference(self) -> str:
        """Image with its version, and its digest where one is known."""
        tagged = self.image.format(version=self.version)
        return f"{tagged}@{self.digest}" if self.digest else tagged
