"""What fits where, at a glance: for each accelerator and model the fewest accelerators with which it fits."""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.loader import load_catalog
from infra.website.explorer import Answer, Question

_KINDS = ("gpu", "tpu", "cpu", "apple")


@dataclass(frozen=True)
class Smallest:
    """The fewest accelerators on which a model fits, with the framework and precision tried first that does it."""

    question: Question

    @property
    def text(self) -> str:
        """Such as `2, bf16`."""
        return f"{self.question.count}, {self.question.precision}"

    @property
    def fragment(self) -> str:
        """Of the explorer's address that asks this."""
        one = self.question
        return (
            f"model={one.model}&framework={one.framework}&accelerator={one.accelerator}&precision={one.precision}"
            f"&count={one.count}"
        )


def smallest(
    found: dict[Question, Answer],
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[Smallest | str, ...]], ...]]:
    """Instruct models, smallest first, and for each accelerator its display name and a cell per model.

    A cell is text where the model does not fit, or is not served there.
    """
    catalog = load_catalog()
    models = sorted((one for one in catalog.models.values() if one.instruct), key=lambda one: one.text_parameters)
    best: dict[tuple[str, str], Smallest | str] = {}
    for question, answer in sorted(found.items(), key=lambda one: (one[0].count, one[0].framework != "vllm")):
        place = question.accelerator, question.model
        if answer.choice is not None and isinstance(best.get(place, ""), str):
            best[place] = Smallest(question)
        elif answer.closest is not None:
            best.setdefault(place, "does not fit")
    accelerators = [one for one in catalog.accelerators.values() if any(key[0] == one.id for key in best)]
    rows = tuple(
        (one.display_name, tuple(best.get((one.id, model.id), "not served") for model in models))
        for one in sorted(accelerators, key=lambda one: (_KINDS.index(one.kind), one.memory_gib or 0))
    )
    return tuple(model.id for model in models), rows
