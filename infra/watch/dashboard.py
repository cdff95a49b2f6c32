"""One engine's Grafana dashboard, in the classic JSON model, whose last schema is 42; Grafana 12 and 13 read it."""

from __future__ import annotations

import json
from typing import Any

from infra.watch.queries import Queries

_SCHEMA_VERSION = 42
_PANEL_WIDTH, _PANEL_HEIGHT, _WIDTH = 8, 7, 24
_WINDOW = "$__rate_interval"
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_Queries = list[tuple[str, str]]


def dashboard(queries: Queries, framework: str, endpoint: str | None) -> str:
    """The dashboard as JSON, a panel on each line.

    Args:
        queries: over the endpoint's series, or over those of the variable `stack`.
        framework: its name.
        endpoint: its name, or None for a dashboard of all endpoints of the framework.
    """
    panels = [_panel(index, *one) for index, one in enumerate(_panels(queries))]
    variables: list[dict[str, Any]] = [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    ]
    if endpoint is None:
        query = f'label_values(up{{framework="{framework}"}}, stack)'
        variables.append({"name": "stack", "type": "query", "datasource": _SOURCE, "query": query, "refresh": 2})
    rest = {
        "uid": endpoint or f"servestack-{framework}",
        "title": endpoint or f"Servestack: {framework}",
        "tags": ["servestack", framework],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables},
    }
    lines = [f" {_compact(key)}: {_compact(value)}" for key, value in rest.items()]
    lines.append(' "panels": [\n  ' + ",\n  ".join(_compact(one) for one in panels) + "\n ]")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _panels(queries: Queries) -> list[tuple[str, str, _Queries]]:
    """Title, unit and queries with their legends; a panel whose metric the engine lacks is left out."""
    metrics = queries.metrics
    panels: list[tuple[str, str, _Queries]] = [
        ("Ready replicas", "none", [(queries.ready(), "ready"), (f"count by (stack) ({queries.up})", "there")]),
        ("Waiting requests", "none", [(queries.total(metrics.queue, "stack, pod"), "{{pod}}")]),
        ("Running requests", "none", [(queries.total(metrics.running, "stack, pod"), "{{pod}}")]),
    ]
    caches = zip(metrics.kv_cache, queries.fullest(), strict=True)
    panels.append(("KV cache in use", "percentunit", [(one, f"{{{{pod}}}} {name}") for name, one in caches]))
    for title, histogram in (
        ("Time to first token", metrics.first_token_seconds),
        ("Time per token", metrics.inter_token_seconds),
    ):
        quantiles = ((0.5, "median"), (0.95, "95 %"), (0.99, "99 %")) if histogram else ()
        panels.append(
            (title, "s", [(queries.quantile(share, histogram or "", _WINDOW), said) for share, said in quantiles])
        )
    mean = queries.seconds_per_token(_WINDOW)
    panels.append(("Time per token", "s", [(mean, "mean")] if mean else []))
    counters = ((metrics.prompt_tokens, "read"), (metrics.generated_tokens, "written"))
    panels.append(
        ("Tokens per second", "none", [(queries.rate(name, _WINDOW), said) for name, said in counters if name])
    )
    if metrics.preemptions:
        panels.append(
            ("Preemptions per second", "none", [(queries.rate(metrics.preemptions, _WINDOW, "stack, pod"), "{{pod}}")])
        )
    for title, part, whole, said in (
        ("HTTP answers per second", metrics.failures, metrics.responses, "server errors"),
        ("Finished requests per second", metrics.aborted, metrics.requests, "aborted"),
    ):
        answers = [(queries.matching(one, _WINDOW), legend) for one, legend in ((whole, "all"), (part, said)) if one]
        panels.append((title, "none", answers))
    return [one for one in panels if one[2]]


def _panel(index: int, title: str, unit: str, queries: _Queries) -> dict[str, Any]:
    column, row = index % (_WIDTH // _PANEL_WIDTH), index // (_WIDTH // _PANEL_WIDTH)
    place = {"h": _PANEL_HEIGHT, "w": _PANEL_WIDTH, "x": column * _PANEL_WIDTH, "y": row * _PANEL_HEIGHT}
    targets = [
        {"refId": chr(ord("A") + number), "expr": expr, "legendFormat": legend}
        for number, (expr, legend) in enumerate(queries)
    ]
    return {
        "id": index + 1,
        "type": "timeseries",
        "title": title,
        "gridPos": place,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
