"""Queries in PromQL over one engine's metrics, for alerts and dashboards alike.

Every monitor of ours gives its series the labels `stack` and `framework`, so that one selector finds an endpoint under
any Prometheus, and `pod`. Nothing here needs kube-state-metrics: not every cluster has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.catalog.metrics import EngineMetrics, Series


@dataclass(frozen=True)
class Queries:
    """Queries over the series that a selector finds.

    Attributes:
        metrics: names of the engine.
        selector: PromQL label matchers, without braces.
    """

    metrics: EngineMetrics
    selector: str

    def series(self, name: str, *more: str) -> str:
        """Instant vector of one metric."""
        return f"{name}{{{','.join((self.selector, *more))}}}"

    @property
    def up(self) -> str:
        """1 for each replica whose engine answers, 0 for one that loads or has stopped."""
        return self.series("up")

    def ready(self, by: str = "stack") -> str:
        """Replicas whose engine answers."""
        return f"sum by ({by}) ({self.up})"

    def total(self, name: str, by: str = "stack") -> str:
        """Sum of a gauge."""
        return f"sum by ({by}) ({self.series(name)})"

    def rate(self, name: str, window: str, by: str = "stack", *more: str) -> str:
        """Growth of a counter per second."""
        return f"sum by ({by}) (rate({self.series(name, *more)}[{window}]))"

    def fullest(self) -> tuple[str, ...]:
        """Use of each KV cache gauge, 0 to 1, of each replica."""
        return tuple(f"max by (stack, pod) ({self.series(name)})" for name in self.metrics.kv_cache)

    def quantile(self, share: float, histogram: str, window: str) -> str:
        """Value of a histogram below which a share of its observations lies."""
        return f"histogram_quantile({share:g}, {self.rate(f'{histogram}_bucket', window, 'stack, le')})"

    def matching(self, one: Series, window: str) -> str:
        """Growth per second of those series of a counter that count."""
        more = (f'{one.label}=~"{one.values}"',) if one.label else ()
        return self.rate(one.name, window, "stack", *more)

    def seconds_per_token(self, window: str) -> str | None:
        """Mean seconds per token of answers, from two counters; None where the engine has a histogram or neither."""
        if not self.metrics.seconds_per_token:
            return None
        seconds, tokens = self.metrics.seconds_per_token
        return f"{self.rate(seconds, window)} / {self.rate(tokens, window)}"
