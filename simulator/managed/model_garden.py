"""Which models Model Garden offers, and on which machines: the table `model_garden.yaml`."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import yaml

PUBLISHER = "google"
FAMILY = "gemma4"
SERVERLESS = "gemma-4-26b-a4b-it-maas"
"""The only Gemma 4 without an endpoint, in region `global` only (Vertex AI docs, maas/google, 2026-11-24)."""
_TABLE = Path(__file__).with_name("model_garden.yaml")


@dataclass(frozen=True)
class Offer:
    """A machine on which a model can be deployed.

    Attributes:
        machine_type: such as "g4-standard-48".
        accelerator_type: Vertex's name, such as "NVIDIA_RTX_PRO_6000".
        accelerator_count: accelerators of one machine.
    """

    machine_type: str
    accelerator_type: str
    accelerator_count: int

    def machine_spec(self) -> dict[str, str | int]:
        """As the API's MachineSpec."""
        return {
            "machineType": self.machine_type,
            "acceleratorType": self.accelerator_type,
            "acceleratorCount": self.accelerator_count,
        }


@dataclass(frozen=True)
class ModelGarden:
    """The table.

    Attributes:
        image: the verified container.
        offers: by version of the model, such as "gemma-4-31b-it"; the first is Google's choice where none is asked for.
    """

    image: str
    offers: dict[str, tuple[Offer, ...]]

    def version_of(self, publisher_model_name: str) -> str | None:
        """The version that a full name means, or None where there is no such model."""
        prefix = f"publishers/{PUBLISHER}/models/{FAMILY}@"
        version = publisher_model_name.removeprefix(prefix)
        return version if publisher_model_name.startswith(prefix) and version in self.offers else None


@functools.cache
def load() -> ModelGarden:
    """Read the table."""
    table = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    machines = {name: Offer(name, one["accelerator"], one["count"]) for name, one in table["machines"].items()}
    offers = {version: tuple(machines[name] for name in named) for version, named in table["models"].items()}
    return ModelGarden(table["image"], offers)
