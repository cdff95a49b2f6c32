"""`page_text`: plans in, one HTML page out. Nothing outside the page is needed to read it, and no script runs in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from markupsafe import Markup

from infra.page import charts, series, tables
from infra.page.environment import environment
from infra.plan.curve import context_curve
from infra.plan.quantities import Memory, Timing
from infra.plan.request import Request
from infra.plan.search import Choice
from infra.plan.serving_plan import Context, Rung, ServingPlan


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


class Charts(Protocol):
    """What draws the four charts of a plan as SVG, each under the identifier that it is given."""

    def memory_chart(self, identifier: str, memory: Memory, parts: Sequence[series.Part]) -> Markup:
        """One accelerator from empty to full."""

    def curve_chart(self, identifier: str, curve: Sequence[tuple[int, int]], planned: Context) -> Markup:
        """Longest request against requests at once."""

    def cost_chart(self, identifier: str, ladder: Sequence[Rung]) -> Markup:
        """Price of an hour per rung."""

    def startup_chart(self, identifier: str, timing: Timing) -> Markup:
        """Terms of the start-up time, one after the other."""


def page_text(pages: Sequence[PlanPage]) -> str:
    """All plans as one HTML document, the same text for the same plans.

    Args:
        pages: in the order of the page.
    """
    template = environment().get_template("page.html.j2")
    plans = [page.plan for page in pages]
    return template.render(
        sections=[section(f"plan-{place}", page, charts) for place, page in enumerate(pages, 1)],
        hourly=series.total(plans, lambda cost: cost.hourly_usd),
        least=series.total(plans, lambda cost: cost.monthly_usd_min),
        most=series.total(plans, lambda cost: cost.monthly_usd_max),
    )


def section(identifier: str, page: PlanPage, drawn_by: Charts) -> dict[str, Any]:
    """What the template of one plan is given.

    Args:
        identifier: of its section; what is in it begins with the same.
        page: the plan.
        drawn_by: what draws its charts.
    """
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
        "memory_chart": drawn_by.memory_chart(f"{identifier}-memory", plan.memory, parts),
        "curve_chart": page.curve and drawn_by.curve_chart(f"{identifier}-curve", page.curve, plan.context),
        "cost_chart": plan.ladder and drawn_by.cost_chart(f"{identifier}-cost", plan.ladder),
        "startup_chart": plan.timing.startup_terms and drawn_by.startup_chart(f"{identifier}-startup", plan.timing),
    }
