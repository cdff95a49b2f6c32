"""What the provider can do with any resource type."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Protocol

from simulator.google.wire import Properties


class Resource(Protocol):
    """What can be done with one resource type."""

    @property
    def computed(self) -> tuple[str, ...]:
        """Outputs that a preview cannot know."""

    @property
    def timeouts(self) -> Mapping[str, float]:
        """Default timeouts in seconds of create, update and delete."""

    def create(self, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event) -> Properties:
        """Create it; return its outputs with its id."""

    def read(self, identifier: str, config: Properties) -> tuple[Properties, Properties] | None:
        """Its outputs and the inputs it was made with, or None if it is gone."""

    def update(
        self, identifier: str, inputs: Properties, config: Properties, timeout: float, cancelled: threading.Event
    ) -> Properties:
        """Change it in place; return its outputs."""

    def delete(
        self, identifier: str, state: Properties, config: Properties, timeout: float, cancelled: threading.Event
    ) -> None:
        """Delete it; one that is gone is fine."""


def known(inputs: Properties) -> Properties:
    """What the user or the bridge gave."""
    return {key: value for key, value in inputs.items() if key != "__defaults" and value is not None}


def bad_id(identifier: str, ending: str) -> str:
    """An id of no accepted form; the text is tpgresource.ParseImportId's, from memory."""
    return (
        f'Import id "{identifier}" doesn\'t match any of the accepted formats: '
        f"[projects/{{{{project}}}}/locations/{{{{location}}}}/{ending}]"
    )
