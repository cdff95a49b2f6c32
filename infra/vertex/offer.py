"""A machine that Model Garden offers for a model, with the container that it would run there. Pure."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

_CONTEXT = "--max-model-len"


def published_name(model: str) -> str:
    """Full name of `publisher/model`, such as `publishers/google/models/gemma4@gemma-4-31b-it`."""
    publisher, rest = model.split("/", 1)
    return f"publishers/{publisher}/models/{rest}"


@dataclass(frozen=True)
class Offer:
    """One of Model Garden's deployments.

    Attributes:
        accelerator_type: Vertex AI's name, such as `NVIDIA_H100_80GB`; empty where it has none.
        accelerator_count: accelerators of one replica.
        image, command, args: its own container; empty where Google names none.
    """

    machine_type: str
    accelerator_type: str
    accelerator_count: int
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()

    @property
    def accelerators(self) -> str:
        """Their number and kind, such as `1 x NVIDIA_H100_80GB`."""
        return f"{self.accelerator_count} x {self.accelerator_type}" if self.accelerator_type else "no accelerator"

    @property
    def max_model_len(self) -> int | None:
        """Tokens of the longest request by vLLM's argument; None where it does not say."""
        for word, following in itertools.pairwise((*self.command, *self.args, "")):
            name, equals, value = word.partition("=")
            said = value if equals else following
            if name.replace("_", "-") == _CONTEXT and said.isascii() and said.isdigit():
                return int(said)
        return None
