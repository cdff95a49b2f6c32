"""Plans side by side: what they differ in, what speaks for each, and at which load they cost the same."""

from infra.plan.comparison.break_even import ASSUMED_RATIO, BreakEven, break_even_output_tokens
from infra.plan.comparison.compare import MOST, Comparison, compare
from infra.plan.comparison.sides import Cell, Row, Side

__all__ = [
    "ASSUMED_RATIO",
    "MOST",
    "BreakEven",
    "Cell",
    "Comparison",
    "Row",
    "Side",
    "break_even_output_tokens",
    "compare",
]
