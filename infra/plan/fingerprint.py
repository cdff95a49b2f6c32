"""A plan's hash: ties what was measured or read to the plan that was meant."""

from __future__ import annotations

import hashlib
import json

from infra.plan.managed import ManagedPlan
from infra.plan.serving_plan import ServingPlan


def plan_hash(plan: ServingPlan | ManagedPlan) -> str:
    """SHA-256 of the plan's JSON without blanks, keys sorted: another plan has another one."""
    text = json.dumps(plan.to_json(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
