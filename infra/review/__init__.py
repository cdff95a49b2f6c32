"""What a change of stack files means for users, bills and safety: pure, from what was built before and after."""

from infra.review.changes import Review, Reviews, TeamCost, review_all
from infra.review.dangers import GRAVITY, Danger
from infra.review.side import Refused, Side

__all__ = ["GRAVITY", "Danger", "Refused", "Review", "Reviews", "Side", "TeamCost", "review_all"]
