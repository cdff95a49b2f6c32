"""Errors of the Google APIs, in the words in which the official provider passes them on."""

from __future__ import annotations

from typing import Any


class GoogleError(Exception):
    """Anything that the simulated Google Cloud refuses; its text is what a user reads."""


class GoogleApiError(GoogleError):
    """An answer of a Google API.

    The text has the form of Go's `googleapi.Error`, which Terraform and Pulumi print:
    `googleapi: Error 400: MESSAGE, badRequest`; newer APIs give no reason, and the text ends with the message.
    """

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(f"googleapi: Error {code}: {message}" + (f", {reason}" if reason else ""))
        self.code = code
        self.message = message
        self.reason = reason


def bad_request(message: str) -> GoogleApiError:
    """A request that Google finds invalid."""
    return GoogleApiError(400, message, "badRequest")


def not_found(resource: str) -> GoogleApiError:
    """A cluster or node pool that does not exist, named in full."""
    return GoogleApiError(404, f"Not found: {resource}.", "notFound")


def already_exists(resource: str) -> GoogleApiError:
    """A cluster or node pool that exists already, named in full."""
    return GoogleApiError(409, f"Already exists: {resource}.", "alreadyExists")


def in_use(kind: str, resource: str, holder: str) -> GoogleApiError:
    """Something that cannot go before something else (Compute Engine's words in many public runs)."""
    text = f"The {kind} resource '{resource}' is already being used by '{holder}'"
    return GoogleApiError(400, text, "resourceInUseByAnotherResource")


def compute_not_found(resource: str) -> GoogleApiError:
    """A thing of Compute Engine that does not exist (terraform-google-cloud-nat #74)."""
    return GoogleApiError(404, f"The resource '{resource}' was not found", "notFound")


def invalid_field(name: str, value: Any, why: str) -> GoogleApiError:
    """A value that Compute Engine refuses (many public runs)."""
    return GoogleApiError(400, f"Invalid value for field 'resource.{name}': '{value}'. {why}", "invalid")


def insufficient_quota(project: str, metric: str, requested: float, limit: float, used: float) -> GoogleApiError:
    """A node pool whose first nodes go over a regional quota.

    The wording is GKE's for other regional quotas (seen for SSD_TOTAL_GB and IN_USE_ADDRESSES).
    """
    free = max(0.0, limit - used)
    return GoogleApiError(
        403,
        f'Insufficient regional quota to satisfy request: resource "{metric}": request requires '
        f"'{requested:.1f}' and is short '{requested - free:.1f}'. project has a quota of '{limit:.1f}' with "
        f"'{free:.1f}' available. View and manage quotas at "
        f"https://console.cloud.google.com/iam-admin/quotas?usage=USED&project={project}.",
        "forbidden",
    )


class OperationTimeoutError(GoogleError):
    """A wait that took longer than the resource's timeout.

    The text is the Terraform SDK's, as seen with google_container_cluster.
    """

    def __init__(self, activity: str, timeout_seconds: float) -> None:
        super().__init__(
            f"Error waiting for {activity}: timeout while waiting for state to become 'DONE' "
            f"(last state: 'RUNNING', timeout: {go_duration(timeout_seconds)})"
        )


class OperationCancelledError(GoogleError):
    """The engine asked to stop while an operation was running; the operation itself goes on."""


class PartialFailureError(Exception):
    """The resource exists, but something went wrong; its state is kept.

    Attributes:
        identifier: Its id.
        outputs: What it looks like.
    """

    def __init__(self, identifier: str, outputs: dict[str, Any], reason: str) -> None:
        super().__init__(reason)
        self.identifier = identifier
        self.outputs = outputs


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a duration.

    >>> go_duration(7200), go_duration(1800), go_duration(2.5)
    ('2h0m0s', '30m0s', '2.5s')
    """
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:g}s"
    if hours:
        return f"{int(hours)}h{int(minutes)}m{text}"
    return f"{int(minutes)}m{text}" if minutes else text
