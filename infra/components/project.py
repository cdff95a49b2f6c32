"""The number of a platform's project, which only Google knows."""

from __future__ import annotations

from importlib.metadata import version

import pulumi
import pulumi_gcp as gcp
from pulumi.runtime import invoke

from infra.errors import PlatformError
from infra.spec import Gke

_GET_PROJECT = "gcp:organizations/getProject:getProject"
_PLUGIN_VERSION = version("pulumi-gcp")


def project_number(gke: Gke, provider: gcp.Provider) -> str:
    """Number of the platform's project, by which IAM names its identities.

    Raises:
        PlatformError: the project cannot be read.
    """
    try:
        found = invoke(
            _GET_PROJECT, {"projectId": gke.project}, pulumi.InvokeOptions(provider=provider, version=_PLUGIN_VERSION)
        ).value
    except Exception as error:
        reason = str(error).strip().split("\n")[0]
        raise PlatformError(
            f"project '{gke.project}' cannot be read, and its number is part of the endpoint's identity: {reason}\n"
            f"Next: gcloud services enable cloudresourcemanager.googleapis.com --project={gke.project}"
        ) from None
    return str(found["number"])
