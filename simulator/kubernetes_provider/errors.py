"""What can go wrong between the provider and the cluster, with the official texts."""

from __future__ import annotations

from typing import Any

from simulator.kubernetes_provider.properties import Object, Properties


class ProviderError(Exception):
    """An error whose text the engine shows as it is (gRPC code Unknown)."""


class UnimplementedError(Exception):
    """A part of the official provider that this stand-in does not imitate (gRPC code Unimplemented)."""


class ApiError(Exception):
    """An error answer of the API server: its `Status` object.

    Attributes:
        code: the HTTP status.
        reason: the machine readable reason, such as `AlreadyExists`.
        status: the whole `Status` object.
    """

    def __init__(self, code: int, status: dict[str, Any]) -> None:
        super().__init__(status.get("message") or f"the server responded with the status code {code}")
        self.code = code
        self.reason: str = status.get("reason") or ""
        self.status = status

    @property
    def is_not_found(self) -> bool:
        """The object, its namespace or its kind does not exist."""
        return self.reason == "NotFound" or self.code == 404

    @property
    def is_already_exists(self) -> bool:
        """An object of that name exists."""
        return self.reason == "AlreadyExists"

    @property
    def is_forbidden(self) -> bool:
        """RBAC, quota, Pod Security or a terminating namespace."""
        return self.reason == "Forbidden" or self.code == 403

    @property
    def is_conflict(self) -> bool:
        """Another field manager owns a field, or the resource version is old."""
        return self.reason == "Conflict"

    @property
    def is_invalid(self) -> bool:
        """Validation refused the object."""
        return self.reason == "Invalid" or self.code == 422

    @property
    def names_missing_namespace(self) -> bool:
        """The namespace of the object does not exist."""
        details = self.status.get("details") or {}
        return self.is_not_found and details.get("kind") == "namespaces"

    @property
    def refuses_dry_run(self) -> bool:
        """A webhook or the server cannot take part in a dry run (provider.go isDryRunDisabledError)."""
        return self.code == 400 and "does not support dry run" in str(self)


class NoMatchError(Exception):
    """The server does not serve this kind (client-go meta.NoKindMatchError)."""

    def __init__(self, api_version: str, kind: str) -> None:
        super().__init__(f'no matches for kind "{kind}" in version "{api_version}"')


class RemovedApiError(Exception):
    """This Kubernetes version no longer has the API (kinds.RemovedAPIError): retrying cannot help."""


class UnreachableError(Exception):
    """The API server could not be reached; the text is that of Go's net/http client."""


class KubeconfigError(Exception):
    """The kubeconfig cannot be used; the text is that of client-go."""


class AwaitError(Exception):
    """The object exists but is not ready: state is saved, and the step fails.

    Attributes:
        live: the last known live object.
        sub_errors: details, shown below the message as bullets of their own.
    """

    def __init__(self, message: str, live: Object, sub_errors: list[str] | None = None) -> None:
        super().__init__(message)
        self.live = live
        self.sub_errors = sub_errors or []


class PartialFailureError(Exception):
    """A step that failed after the object was stored; sent with an ErrorResourceInitFailed detail.

    Official behaviour: provider.go partialError. The reasons are the whole message and then the sub-errors.
    """

    def __init__(
        self,
        identifier: str,
        message: str,
        cause: Exception,
        properties: Properties,
        inputs: Properties | None = None,
    ) -> None:
        super().__init__(str(cause))
        self.identifier = identifier
        self.reasons = [message, *(cause.sub_errors if isinstance(cause, AwaitError) else [])]
        self.properties = properties
        self.inputs = inputs
