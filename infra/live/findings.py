"""What was found at Google. Pure; the JSON field names are a contract."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from infra.plan.serving_plan import plain


@dataclass(frozen=True)
class Offered:
    """A machine that Model Garden offers.

    Attributes:
        accelerator: the catalogue's name; empty where it has none.
        accelerator_type: Vertex AI's; empty where Google names none.
        image, command, args: Model Garden's own container there.
        max_model_len: tokens of its longest request; None where it does not say.
        marked: whether the catalogue marks the machine for the model.
        planned: whether it is the plan's.
    """

    machine_type: str
    accelerator: str
    accelerator_type: str
    accelerator_count: int
    image: str
    command: tuple[str, ...]
    args: tuple[str, ...]
    max_model_len: int | None
    marked: bool
    planned: bool


@dataclass(frozen=True)
class Live:
    """Google's answers.

    Attributes:
        service: as in the plan.
        asked: what was asked for, by Google's name.
        host: that was asked.
        keeps_plan: whether what is planned is there; None where that is not known.
        offers: of Model Garden.
        licence_accepted: in the plan's project; None where that was not asked, or Google knows of no such thing.
        launch_stage: Google's word; empty where it has none.
        version: of the model, by Google's word; empty where it has none.
        input_tokens, output_tokens: of one request; None where Google does not say.
        differences: from plan and catalogue, a sentence each.
        error: why the answers are not all there; empty where they are.
    """

    service: str
    asked: str
    host: str
    keeps_plan: bool | None = None
    offers: tuple[Offered, ...] = ()
    licence_accepted: bool | None = None
    launch_stage: str = ""
    version: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    differences: tuple[str, ...] = ()
    error: str = ""

    @property
    def agrees(self) -> bool:
        """Whether everything was answered, and what is planned is there."""
        return bool(self.keeps_plan) and not self.error

    def to_json(self) -> dict[str, Any]:
        """Key `live` of a plan's JSON."""
        found: dict[str, Any] = plain(dataclasses.asdict(self))
        return found
