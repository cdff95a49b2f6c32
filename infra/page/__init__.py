"""One or several plans as one self-contained HTML page, for people who decide and people who review."""

from infra.page.plan_page import PlanPage, page_text

__all__ = ["PlanPage", "page_text"]
