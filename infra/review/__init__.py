"""What a change of stack files means for users, bills and safety: pure, from what was built before and after."""

from infra.review.dangers import GRAVITY
from infra.review.records import KINDS, Change, Danger, Review, Reviews, ToolkitChange
from infra.review.reviews import review_all
from infra.review.version import Version

__all__ = ["GRAVITY", "KINDS", "Change", "Danger", "Review", "Reviews", "ToolkitChange", "Version", "review_all"]
