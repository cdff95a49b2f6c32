"""Plans of endpoints that Google runs: Model Garden, serverless, the Gemini API."""

from infra.plan.managed.managed_plan import ManagedPlan
from infra.plan.managed.resolve import managed_uses, resolve_managed

__all__ = ["ManagedPlan", "managed_uses", "resolve_managed"]
