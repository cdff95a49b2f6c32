"""Two to four stacks in, `Comparison` out."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.catalog.records import Catalog
from infra.plan.comparison.break_even import ASSUMED_RATIO, BreakEven, break_even_text, break_evens
from infra.plan.comparison.costs import COSTS, token_price
from infra.plan.comparison.merits import merits
from infra.plan.comparison.runs import RUNS
from infra.plan.comparison.serves import SERVES
from infra.plan.comparison.sides import Row, Side
from infra.plan.serving_plan import plain

MOST = 4


@dataclass(frozen=True)
class Comparison:
    """Stacks side by side. Its JSON field names are a contract.

    Attributes:
        stacks: names, in the order of every row's cells.
        rows: everything compared.
        ratio: input tokens to an output token that break-evens assume.
        break_evens: of every pair of which one is paid by the hour and the other by the token.
        costs: what every pair costs beside each other, in words, or why that is not known.
        merits: what speaks for each stack.
    """

    stacks: tuple[str, ...]
    rows: tuple[Row, ...]
    ratio: float
    break_evens: tuple[BreakEven, ...]
    costs: tuple[str, ...]
    merits: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON data; `fields` are values of the plans' own JSON, by their path there."""
        rows = [
            {
                "label": row.label,
                "differs": row.differs,
                "note": row.note,
                "cells": [{"text": one.text, "value": one.value, "fields": dict(one.fields)} for one in row.cells],
            }
            for row in self.rows
        ]
        return {
            "stacks": list(self.stacks),
            "inputTokensPerOutputToken": self.ratio,
            "rows": rows,
            "breakEven": [plain(dataclasses.asdict(one)) for one in self.break_evens],
            "costs": list(self.costs),
            "merits": [list(one) for one in self.merits],
        }


def compare(sides: Sequence[Side], catalog: Catalog, ratio: float = ASSUMED_RATIO) -> Comparison:
    """Compare stacks of different names.

    Args:
        sides: two to four.
        catalog: the facts.
        ratio: input tokens to an output token, for break-evens.

    Raises:
        ValueError: too few or too many, or a ratio below 0.
    """
    every = tuple(sides)
    if not 2 <= len(every) <= MOST or ratio < 0:
        raise ValueError(f"2 to {MOST} stacks and a ratio of 0 or more")
    pairs = list(itertools.combinations(every, 2))
    found = [(one, other, break_evens(one, other, ratio)) for one, other in pairs]
    unpriced = {side.plan.stack: why for side in every if (why := _unpriced(side))}
    return Comparison(
        stacks=tuple(side.plan.stack for side in every),
        rows=tuple(question.row(every, catalog) for question in (*SERVES, *RUNS, *COSTS)),
        ratio=ratio,
        break_evens=tuple(even for _, _, evens in found for even in evens),
        costs=(
            *(f"no break-even with {stack}: {why}." for stack, why in unpriced.items()),
            *(
                text
                for one, other, evens in found
                if not {one.plan.stack, other.plan.stack} & set(unpriced)
                for text in _pair_texts(one, other, evens, ratio)
            ),
        ),
        merits=tuple(merits(side, [one for one in every if one is not side], catalog) for side in every),
    )


def _pair_texts(one: Side, other: Side, evens: list[BreakEven], ratio: float) -> list[str]:
    models = "" if one.plan.model.id == other.plan.model.id else " They serve different models."
    if evens:
        return [break_even_text(even) + models for even in evens]
    first, second = sorted((one, other), key=lambda side: side.plan.stack)
    names = f"{first.plan.stack} and {second.plan.stack}"
    if token_price(first) is None:
        return [f"no break-even of {names}: both are paid by the hour. {_by_hour(first, second)}{models}"]
    return [f"no break-even of {names}: both are paid by the token. {_by_token(first, second, ratio)}{models}"]


def _unpriced(side: Side) -> str:
    """Why a side cannot be set against another; empty where it can."""
    price = token_price(side)
    if price is None:
        return side.plan.cost.basis if side.plan.cost.hourly_usd is None else ""
    return price.basis if price.input_usd_per_million is None or price.output_usd_per_million is None else ""


def _by_hour(first: Side, second: Side) -> str:
    """Which of two with known prices costs less; a price that is only a ceiling is told."""
    cheap, dear = sorted((first, second), key=lambda side: side.plan.cost.hourly_usd or 0)
    less = (dear.plan.cost.hourly_usd or 0) - (cheap.plan.cost.hourly_usd or 0)
    ceilings = [side.plan.stack for side in (first, second) if not side.plan.cost.exact]
    told = f"; the price of {' and of '.join(ceilings)} is only a ceiling" if ceilings else ""
    if less == 0:
        return f"They cost the same at most replicas{told}."
    return f"At most replicas {cheap.plan.stack} costs {less:,.2f} USD per hour less{told}."


def _by_token(first: Side, second: Side, ratio: float) -> str:
    def usd(side: Side) -> float:
        price = token_price(side)
        assert price is not None
        return ratio * (price.input_usd_per_million or 0) + (price.output_usd_per_million or 0)

    each = ", ".join(f"{side.plan.stack} {usd(side):.2f} USD" for side in (first, second))
    return f"A million output tokens with {ratio:g} million input tokens, which is assumed: {each}."
