"""A model of the Gemini API beside a plan and the catalogue. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from infra.catalog.records import Catalog
from infra.live.findings import Live
from infra.plan.managed import ManagedPlan

_ANSWERS = "generateContent"


def compare(plan: ManagedPlan, catalog: Catalog, live: Live, found: Any) -> Live:
    """What the Gemini API says, and where it differs.

    Args:
        plan: of an endpoint of the Gemini API.
        catalog: the facts.
        live: what was asked.
        found: Google's answer (google.genai.types.Model).
    """
    known = catalog.managed.served_by(plan.service)[plan.model.id]
    tokens, answer, planned = found.input_token_limit, found.output_token_limit, plan.context.max_model_len
    fits = not (tokens and planned) or planned <= tokens
    answers = not found.supported_actions or _ANSWERS in found.supported_actions
    differences = []
    if not answers:
        differences.append(f"it has no {_ANSWERS}: {', '.join(found.supported_actions)} alone")
    if not fits:
        differences.append(f"it takes {tokens:,} tokens, the plan says {planned:,}: write contextLength: {tokens}")
    if tokens and tokens != known.context_tokens and (fits or planned != known.context_tokens):
        differences.append(f"it takes {tokens:,} tokens, the catalogue says {known.context_tokens:,}")
    if answer and answer != known.output_tokens:
        said = f"{known.output_tokens:,}" if known.output_tokens else "nothing of it"
        differences.append(f"its longest answer is {answer:,} tokens, the catalogue says {said}")
    return replace(
        live,
        keeps_plan=fits and answers,
        version=found.version or "",
        input_tokens=tokens,
        output_tokens=answer,
        differences=tuple(differences),
    )
