"""Budgets of a billing account, and the channels that tell of them.

Sources: magic-modules mmv1/products/billingbudget/Budget.yaml and mmv1/products/monitoring/NotificationChannel.yaml.
Google answers with numbers for projects that a filter names by id, so that such a filter never is without changes
(terraform-google-project-factory #541).
"""

from __future__ import annotations

import hashlib
import os
import re
import uuid

from simulator.google.errors import GoogleApiError, GoogleError
from simulator.google.networks import numeric_id
from simulator.google.projects import number
from simulator.google.resource_type import Pattern, Request, ResourceType, key
from simulator.google.wire import Properties

BUDGET = "gcp:billing/budget:Budget"
CHANNEL = "gcp:monitoring/notificationChannel:NotificationChannel"
MONITORING = "monitoring.googleapis.com"
_BILLING = "billingbudgets.googleapis.com"
_ACCOUNT = re.compile(r"[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}")
_CHANNEL_NAME = re.compile(r"projects/[^/]+/notificationChannels/[^/]+")
_CREDENTIALS = "SERVESTACK_SIMULATOR_CREDENTIALS"
_MOST_CHANNELS = 5
"""Budget API reference, AllUpdatesRule."""
_NEEDED_LABELS = {"email": "email_address", "pubsub": "topic", "slack": "channel_name", "sms": "number"}
"""Labels that a channel of a type must have (Monitoring docs, notification options)."""


def _quota_project(request: Request) -> str:
    """The project that a call of the Budget API counts against.

    With a person's credentials it is the provider's billingProject, if userProjectOverride is on (Budget.yaml,
    "docs: warning"); with a service account's it is the account's own, here the provider's. Whose they are says
    SERVESTACK_SIMULATOR_CREDENTIALS: "user" (the default) or "service-account".

    Raises:
        GoogleApiError: There is none, in the words of cloud-foundation-fabric #3360.
    """
    configuration = request.configuration
    project = str(configuration.get("project") or "")
    if str(configuration.get("userProjectOverride", "")).lower() == "true":
        project = str(configuration.get("billingProject") or project)
    elif os.environ.get(_CREDENTIALS, "user") == "user":
        project = ""
    if not project:
        raise GoogleApiError(
            403,
            "Your application is authenticating by using local Application Default Credentials. The "
            f"{_BILLING} API requires a quota project, which is not set by default. To learn how to set your quota "
            "project, see https://cloud.google.com/docs/authentication/adc-troubleshooting/user-creds .",
            "forbidden",
        )
    return project


def _check_budget(request: Request) -> None:
    """What Google finds invalid (400, terraform-provider-google #9375), and channels that are not there.

    For channels there is no source for the wording.
    """
    invalid = GoogleApiError(400, "Request contains an invalid argument.", "badRequest")
    if not _ACCOUNT.fullmatch(str(request.inputs["billingAccount"])):
        raise invalid
    amount = request.inputs["amount"].get("specifiedAmount") or {}
    if amount and not re.fullmatch(r"-?\d+", str(amount.get("units", "0"))):
        raise invalid
    if any(float(one.get("thresholdPercent", 0)) < 0 for one in request.inputs.get("thresholdRules") or []):
        raise invalid
    channels = (request.inputs.get("allUpdatesRule") or {}).get("monitoringNotificationChannels") or []
    if len(channels) > _MOST_CHANNELS or not all(_CHANNEL_NAME.fullmatch(one) for one in channels):
        raise invalid
    for one in channels:
        if key(MONITORING, one) not in request.data["resources"]:
            raise GoogleApiError(404, f"Notification channel not found: {one}.", "notFound")


def _budget_outputs(request: Request) -> Properties:
    chosen = dict(request.inputs.get("budgetFilter") or {})
    ids = [str(one).removeprefix("projects/") for one in chosen.get("projects") or []]
    if ids:
        chosen["projects"] = sorted(f"projects/{one if one.isdigit() else number(one)}" for one in ids)
    if "customPeriod" not in chosen:
        chosen.setdefault("calendarPeriod", "MONTH")
    chosen.setdefault("creditTypesTreatment", "INCLUDE_ALL_CREDITS")
    amount = dict(request.inputs["amount"])
    if amount.get("specifiedAmount"):
        amount["specifiedAmount"] = {"currencyCode": "USD", **amount["specifiedAmount"]}
    rules = [{"spendBasis": "CURRENT_SPEND", **one} for one in request.inputs.get("thresholdRules") or []]
    return {
        "amount": amount,
        "budgetFilter": chosen,
        "name": request.identifier.rpartition("/")[2],
        "ownershipScope": request.inputs.get("ownershipScope") or "ALL_USERS",
        "thresholdRules": rules,
    }


def _check_channel(request: Request) -> None:
    """A channel has the labels of its type (no source for the wording)."""
    needed = _NEEDED_LABELS.get(str(request.inputs["type"]))
    if needed and needed not in (request.inputs.get("labels") or {}):
        text = f'Field "notification_channel.labels" must contain the key "{needed}".'
        raise GoogleApiError(400, text, "badRequest")


def _channel_number(request: Request) -> Properties:
    seed = hashlib.sha256(uuid.uuid4().bytes).hexdigest()
    return {"number": numeric_id(f"{request.project}{seed}")}


def _budget_words(verb: str, request: Request, error: GoogleError) -> str:
    if verb == "create":
        return f"Error creating Budget: {error}"
    return f'Error when reading or editing Budget "{request.identifier}": {error}'


TYPES = (
    ResourceType(
        token=BUDGET,
        sdk="billing.BudgetArgs",
        noun="Budget",
        service=_BILLING,
        identifier="billingAccounts/{billingAccount}/budgets/{uuid}",
        force_new=("billingAccount",),
        computed=("budgetFilter", "deletionPolicy", "ownershipScope"),
        unknown=("name",),
        name="",
        sets=("budgetFilter.projects", "budgetFilter.services", "budgetFilter.subaccounts"),
        choices={
            "budgetFilter.calendarPeriod": ("MONTH", "QUARTER", "YEAR", "CALENDAR_PERIOD_UNSPECIFIED"),
            "budgetFilter.creditTypesTreatment": (
                "INCLUDE_ALL_CREDITS",
                "EXCLUDE_ALL_CREDITS",
                "INCLUDE_SPECIFIED_CREDITS",
            ),
            "ownershipScope": ("OWNERSHIP_SCOPE_UNSPECIFIED", "ALL_USERS", "BILLING_ACCOUNT"),
            "thresholdRules.spendBasis": ("CURRENT_SPEND", "FORECASTED_SPEND"),
        },
        one_of=(("amount.specifiedAmount", "amount.lastPeriodAmount"),),
        assigned=lambda _request: {"uuid": str(uuid.uuid4())},
        outputs=_budget_outputs,
        change_rules=(_check_budget,),
        consumer=_quota_project,
        wrap=_budget_words,
    ),
    ResourceType(
        token=CHANNEL,
        sdk="monitoring.NotificationChannelArgs",
        noun="NotificationChannel",
        service=MONITORING,
        identifier="projects/{project}/notificationChannels/{number}",
        force_new=("project",),
        computed=("deletionPolicy", "project"),
        unknown=("name", "project", "verificationStatus"),
        name="",
        defaults={"enabled": True, "forceDelete": False},
        patterns=(Pattern("type", "[a-z_]+"),),
        assigned=_channel_number,
        outputs=lambda request: {"name": request.identifier, "verificationStatus": ""},
        change_rules=(_check_channel,),
    ),
)
