"""Records of what engines measure of themselves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """Series of one counter: all of them, or those whose label matches a pattern."""

    name: str
    label: str | None
    values: str | None


@dataclass(frozen=True)
class EngineMetrics:
    """Names under which one engine tells what it does; None where it does not say.

    Attributes:
        path: HTTP path of the engine's own metrics.
        queue, running: gauges of requests.
        kv_cache: gauges of its use, 0 to 1; the fullest counts.
        preemptions: counter of requests that lost their KV cache and start again.
        first_token_seconds, inter_token_seconds: histograms.
        seconds_per_token: counters of seconds and of tokens, where there is no histogram; else empty.
        progress: counter that grows with every step of a working engine.
        requests, aborted: finished requests, and those whose caller left.
        responses, failures: HTTP answers, and those with a fault of the server.
    """

    framework: str
    version: str
    path: str
    queue: str
    running: str
    kv_cache: tuple[str, ...]
    preemptions: str | None
    first_token_seconds: str | None
    inter_token_seconds: str | None
    seconds_per_token: tuple[str, ...]
    prompt_tokens: str | None
    generated_tokens: str | None
    progress: str | None
    requests: Series | None
    aborted: Series | None
    responses: Series | None
    failures: Series | None
    sources: tuple[str, ...]
