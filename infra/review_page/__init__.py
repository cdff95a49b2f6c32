"""A review as one self-contained HTML page with charts and every diff."""

from infra.review_page.page import review_page

__all__ = ["review_page"]
