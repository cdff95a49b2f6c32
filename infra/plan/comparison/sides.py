"""What is compared, and the table that comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.catalog.managed import ServedModel
from infra.catalog.records import Catalog
from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.serving_plan import ServingPlan
from infra.spec import PlatformSpec

Plan = ServingPlan | ManagedPlan
NOT_SAID = "Google does not say"
UNKNOWN_BEFORE = "not known before deployment"


@dataclass(frozen=True)
class Side:
    """One stack of a comparison: its plan, that plan as JSON, and its platform."""

    plan: Plan
    platform: PlatformSpec
    data: dict[str, Any] = field(compare=False, repr=False)

    @classmethod
    def of(cls, plan: Plan, platform: PlatformSpec) -> Side:
        """A side whose JSON is the plan's own."""
        return cls(plan, platform, plan.to_json())

    @property
    def service(self) -> str:
        """`model-garden`, `serverless` or `gemini`; empty where the endpoint is self-hosted."""
        return self.plan.service if isinstance(self.plan, ManagedPlan) else ""

    @property
    def on_googles_machines(self) -> bool:
        """Whether there is nothing to deploy."""
        return self.service in {"serverless", "gemini"}

    def served(self, catalog: Catalog) -> ServedModel | None:
        """What Google serves of the model on its own machines; None where the endpoint is no such."""
        return catalog.managed.served_by(self.service)[self.plan.model.id] if self.on_googles_machines else None

    def at(self, path: str) -> Any:
        """The value at a dotted path of the plan's JSON."""
        found: Any = self.data
        for key in path.split("."):
            found = found[key]
        return found


@dataclass(frozen=True)
class Cell:
    """What one stack has in a row.

    Attributes:
        text: for people.
        fields: values of the plan's JSON that the text tells, by dotted path; the first is what the row is about.
    """

    text: str
    fields: tuple[tuple[str, Any], ...] = ()

    @property
    def value(self) -> Any:
        """What the row is about, as the plan's JSON has it; None where it has none."""
        return self.fields[0][1] if self.fields else None


@dataclass(frozen=True)
class Row:
    """One thing compared: a cell per stack, and what to know where they differ."""

    label: str
    cells: tuple[Cell, ...]
    note: str

    @property
    def differs(self) -> bool:
        """Whether any two stacks differ in what is told, or in the value behind it where both have one."""
        values = [one.value for one in self.cells if one.value is not None]
        return len({one.text for one in self.cells}) > 1 or any(value != values[0] for value in values)


@dataclass(frozen=True)
class Question:
    """How a row comes about: its label, a side's cell, and what to know where sides differ."""

    label: str
    cell: Callable[[Side, Catalog], Cell]
    note: str = ""

    def row(self, sides: tuple[Side, ...], catalog: Catalog) -> Row:
        """The row of some sides."""
        cells = tuple(self.cell(side, catalog) for side in sides)
        row = Row(self.label, cells, "")
        return Row(self.label, cells, self.note) if row.differs else row


def cell(side: Side, text: str, *paths: str) -> Cell:
    """A cell that tells what stands at some paths of the plan's JSON."""
    return Cell(text, tuple((path, side.at(path)) for path in paths))
