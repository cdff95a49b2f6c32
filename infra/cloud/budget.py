"""The budget of a platform's project, and who is told."""

from __future__ import annotations

from typing import Any

from infra.cloud.apis import api_name
from infra.cloud.resource import CloudResource, IdOf
from infra.spec import Gke

BUDGET = "gcp:billing/budget:Budget"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
_SHARES = (0.5, 0.9, 1.0)


def budget_resources(platform: str, gke: Gke, labels: dict[str, str]) -> tuple[CloudResource, ...]:
    """Alerts only: no budget of Google's stops anything.

    Google keeps the project's number where the filter names its id, so that input is left as it was made.
    """
    budget = gke.budget
    if budget is None:
        return ()
    channels = tuple(
        CloudResource(
            CHANNEL,
            f"{platform}-budget-email-{index}",
            {
                "project": gke.project,
                "type": "email",
                "displayName": f"Budget of {platform}",
                "labels": {"email_address": email},
                "userLabels": labels,
            },
            after=(api_name(platform, "monitoring"),),
        )
        for index, email in enumerate(budget.emails, 1)
    )
    names = tuple(one.name for one in channels)
    filtered: dict[str, Any] = {
        "projects": [f"projects/{gke.project}"],
        "calendarPeriod": "MONTH",
        "creditTypesTreatment": "INCLUDE_ALL_CREDITS",
    }
    if budget.covers == "platform":
        filtered["labels"] = {"servestack-platform": platform}
    inputs: dict[str, Any] = {
        "billingAccount": budget.billingAccount,
        "displayName": f"servestack {platform}",
        "amount": {"specifiedAmount": {"currencyCode": "USD", "units": str(budget.usdPerMonth)}},
        "budgetFilter": filtered,
        "thresholdRules": [
            *({"thresholdPercent": share, "spendBasis": "CURRENT_SPEND"} for share in _SHARES),
            {"thresholdPercent": 1.0, "spendBasis": "FORECASTED_SPEND"},
        ],
    }
    if names:
        inputs["allUpdatesRule"] = {"monitoringNotificationChannels": [IdOf(name) for name in names]}
    after = (api_name(platform, "billingbudgets"), *names)
    made = CloudResource(BUDGET, f"{platform}-budget", inputs, after=after, ignore=("budgetFilter.projects",))
    return (*channels, made)
