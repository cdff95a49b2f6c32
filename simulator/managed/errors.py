"""Errors of the Google APIs over HTTP: google.rpc.Status as JSON."""

from __future__ import annotations

from typing import Any

INVALID, MISSING, EXISTS, DENIED, EXHAUSTED, PRECONDITION, INTERNAL, UNAUTHENTICATED = 3, 5, 6, 7, 8, 9, 13, 16
STATUS = {
    1: (499, "CANCELLED"),
    3: (400, "INVALID_ARGUMENT"),
    5: (404, "NOT_FOUND"),
    6: (409, "ALREADY_EXISTS"),
    7: (403, "PERMISSION_DENIED"),
    8: (429, "RESOURCE_EXHAUSTED"),
    9: (400, "FAILED_PRECONDITION"),
    12: (501, "UNIMPLEMENTED"),
    13: (500, "INTERNAL"),
    14: (503, "UNAVAILABLE"),
    16: (401, "UNAUTHENTICATED"),
}
"""HTTP status and name by google.rpc.Code (googleapis, google/rpc/code.proto)."""
_TYPE = "type.googleapis.com/google.rpc."


class ApiError(Exception):
    """An answer that is an error.

    Attributes:
        code: of google.rpc.Code.
        details: as in google.rpc.Status.
    """

    def __init__(self, code: int, message: str, *details: dict[str, Any]) -> None:
        super().__init__(message)
        self.code = code
        self.details = details

    @property
    def http_status(self) -> int:
        """The answer's status."""
        return STATUS[self.code][0]

    def body(self) -> dict[str, Any]:
        """The answer's body."""
        status, name = STATUS[self.code]
        error: dict[str, Any] = {"code": status, "message": str(self), "status": name}
        return {"error": error | ({"details": list(self.details)} if self.details else {})}


def error_info(reason: str, service: str, **metadata: str) -> dict[str, Any]:
    """The detail that says why, for programs."""
    kept = {"service": service, **metadata}
    return {"@type": f"{_TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": kept}


def retry_info(seconds: float) -> dict[str, Any]:
    """The detail that says when to ask again."""
    return {"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{max(1, round(seconds))}s"}


def quota_failure(metric: str, identifier: str, model: str, limit: int) -> dict[str, Any]:
    """The detail that says which limit was met (google-gemini/gemini-cli #8437)."""
    violation = {
        "quotaMetric": metric,
        "quotaId": identifier,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(limit),
    }
    return {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}


def service_disabled(service: str, title: str, project_number: str) -> ApiError:
    """An API that is off in the project (google-gemini/deprecated-generative-ai-python #10)."""
    return ApiError(
        DENIED,
        f"{title} has not been used in project {project_number} before or it is disabled. Enable it by visiting "
        f"https://console.developers.google.com/apis/api/{service}/overview?project={project_number} then retry. If "
        "you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.",
        error_info("SERVICE_DISABLED", service, consumer=f"projects/{project_number}"),
    )
