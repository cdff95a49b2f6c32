"""Context against concurrency: how long requests may be when more of them are to fit at once."""

from __future__ import annotations

from infra.plan.fit import largest_context
from infra.plan.request import Request
from infra.plan.search import Choice


def context_curve(request: Request, choice: Choice) -> tuple[tuple[int, int], ...]:
    """Pairs of (full requests at once per replica, longest context in tokens), all else as chosen.

    Concurrency doubles from one to the most that fit with the shortest context worth having (1,024 tokens); the
    planned concurrency is among them.
    """
    fit, capabilities = choice.fit, request.capabilities
    limit_tokens = capabilities.max_tokens(request.model, request.accelerator)
    data = fit.setting.data
    steps, concurrency = {request.concurrency}, data
    while concurrency <= data * min(1024, capabilities.max_concurrency):
        steps.add(concurrency)
        concurrency *= 2
    pairs = []
    for asked in sorted(steps):
        tokens = largest_context(capabilities, fit, concurrency=-(-asked // data), limit_tokens=limit_tokens)
        if tokens >= min(1024, fit.setting.tokens):
            pairs.append((asked, tokens))
    return tuple(pairs)
