"""`page_text`: plans in, one HTML page out. Nothing outside the page is needed to read it, and no script runs in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from infra.page import charts, series, tables
from infra.page.environment import FOLDER, environment
from infra.plan.curve import context_curve
from infra.plan.request import Request
from infra.plan.search import Choice
from infra.plan.serving_plan import ServingPlan


@dataclass(frozen=True)
class PlanPage:
    """One plan and what the page shows besides.

    Attributes:
        curve: requests at once and the largest context in tokens that fits so many, by growing number of requests.
        framework: its name for people; that of stack files where none is given.
    """

    plan: ServingPlan
    curve: tuple[tuple[int, int], ...]
    framework: str = ""

    @classmethod
    def of(cls, plan: ServingPlan, request: Request, choice: Choice) -> PlanPage:
        """Page of a plan, from what was asked and what was chosen."""
        return cls(plan, context_curve(request, choice), request.framework.display_name)


def page_text(pages: Sequence[PlanPage]) -> str:
    """All plans as one HTML document, the same text for the same plans.

    Args:
        pages: in the order of the page.
    """
    template = environment(FOLDER).get_template("page.html.j2")
    plans = [page.plan for page in pages]
    return template.render(
        sections=[_section(f"plan-{place}", page) for place, page in enumerate(pages, 1)],
        hourly=series.total(plans, lambda cost: cost.hourly_usd),
        least=series.total(plans, lambda cost: cost.monthly_usd_min),
        most=series.total(plans, lambda cost: cost.monthly_usd_max),
    )


def _section(identifier: str, page: PlanPage) -> dict[str, Any]:
    plan = page.plan
    parts = series.memory_parts(plan.memory, plan.context.concurrency)
    return {
        "id": identifier,
        "plan": plan,
        "framework": page.framework or plan.framework.name,
        "curve": page.curve,
        "parts": parts,
        "fits": plan.memory.need_gib <= plan.memory.have_gib,
        "rung_names": [series.rung_name(rung) for rung in plan.ladder],
        "tables": tables.tables(plan),
        "memory_chart": charts.memory_chart(f"{identifier}-memory", plan.memory, parts),
        "curve_chart": page.curve and charts.curve_chart(f"{identifier}-curve", page.curve, plan.context),
        "cost_chart": plan.ladder and charts.cost_chart(f"{identifier}-cost", plan.ladder),
        "startup_chart": plan.timing.startup_terms and charts.startup_chart(f"{identifier}-startup", plan.timing),
    }
