"""Many stacks in a few words: how many of which kind, and what a month of them costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from infra.page import numbers
from infra.website.row import Row

_KINDS = {"endpoint": "endpoint", "managed": "managed endpoint", "machine": "service of a machine", "job": "job"}
_PLURALS = {"service of a machine": "services of machines"}
_APART = {
    "unknown": "without a known price",
    "own": "on machines of your own",
    "token": "without a price by the hour",
    "job": "paid once",
}


@dataclass(frozen=True)
class Together:
    """Some stacks together.

    Attributes:
        stacks: how many.
        priced: how many have a price by the month.
        least, most: USD of a month, fewest and most replicas; what has no price is not in them.
        kinds: such as `3 endpoints, 1 job`.
        apart: what the price leaves out, in words.
    """

    stacks: int
    priced: int
    least: float
    most: float
    exact: bool
    kinds: str
    apart: str

    @property
    def month(self) -> str:
        """Price of a month; of none with a price, that it is nothing."""
        if not self.priced:
            return "nothing"
        return numbers.monthly_range(self.least, self.most, self.exact)


def together(rows: Sequence[Row]) -> Together:
    """All of them: prices summed as `servestack plan --all` sums them."""
    prices = [row.price for row in rows]
    kinds, bought = Counter(row.kind for row in rows), Counter(price.kind for price in prices)
    return Together(
        stacks=len(rows),
        priced=bought["priced"],
        least=sum(price.least for price in prices),
        most=sum(price.most for price in prices),
        exact=all(price.exact for price in prices),
        kinds=", ".join(_counted(kinds[kind], noun) for kind, noun in _KINDS.items() if kinds[kind]),
        apart="; ".join(f"{bought[kind]:,} {words}" for kind, words in _APART.items() if bought[kind]),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {_PLURALS[noun]}" if number != 1 and noun in _PLURALS else numbers.count(number, noun)
