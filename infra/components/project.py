"""The number of a platform's project, which only Google knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.components.look_up import LookUpError, look_up
from infra.errors import PlatformError

if TYPE_CHECKING:
    import pulumi_gcp as gcp

_GET_PROJECT = "gcp:organizations/getProject:getProject"


def project_number(project: str, provider: gcp.Provider) -> str:
    """Number of the platform's project, by which IAM names its identities.

    Raises:
        PlatformError: the project cannot be read.
    """
    try:
        found = look_up(_GET_PROJECT, {"projectId": project}, provider)
    except LookUpError as error:
        raise PlatformError(
            f"project '{project}' cannot be read, and its number is part of the endpoint's identity: {error}\n"
            f"Next: gcloud services enable cloudresourcemanager.googleapis.com --project={project}"
        ) from None
    return str(found["number"])
