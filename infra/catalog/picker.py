"""Record of the endpoint picker that tells a gateway which replica takes a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scorer:
    """One way in which the picker judges a replica, with its weight."""

    type: str
    weight: int
    needs_kv_gauge: bool


@dataclass(frozen=True)
class PickerEngine:
    """How the picker reads one framework's metrics.

    Attributes:
        type: value of the pod label by which the picker knows the engine.
        kv_gauge: whether the engine has a gauge of its KV cache.
        queued, running: gauges of requests; None where the picker knows them by itself.
    """

    framework: str
    type: str
    kv_gauge: bool
    queued: str | None
    running: str | None


@dataclass(frozen=True)
class Picker:
    """The endpoint picker.

    Attributes:
        image: with `{version}` where the version goes.
        digest: of the image, or None where none is known.
        grace_seconds: from deletion to SIGKILL.
        config_version: `apiVersion` of its configuration.
    """

    name: str
    display_name: str
    version: str
    image: str
    digest: str | None
    run_as_user: int
    cpu: str
    memory_gib: int
    grace_seconds: int
    config_version: str
    scorers: tuple[Scorer, ...]
    engines: tuple[PickerEngine, ...]
    licence: str
    sources: tuple[str, ...]

    @property
    def reference(self) -> str:
        """Image with its version, and its digest where one is known."""
        tagged = self.image.format(version=self.version)
        return f"{tagged}@{self.digest}" if self.digest else tagged

    def engine(self, framework: str) -> PickerEngine | None:
        """How it reads this framework's metrics; None where it cannot."""
        return next((one for one in self.engines if one.framework == framework), None)
