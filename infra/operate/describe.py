"""A cluster as `gcloud` describes it: read only, with the credentials that its user has."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from infra.errors import PlatformError
from infra.spec import Gke

_TIMEOUT_SECONDS = 60


def describe(gke: Gke) -> dict[str, Any]:
    """The platform's cluster in the words of Google's API.

    Raises:
        PlatformError: there is no gcloud, or it cannot read the cluster; with its own words.
    """
    words = ["gcloud", "container", "clusters", "describe", gke.cluster.name, "--location", gke.location]
    words += ["--project", gke.project, "--format", "json"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
    except FileNotFoundError:
        raise PlatformError("there is no gcloud on the PATH; install the Google Cloud CLI.") from None
    except subprocess.TimeoutExpired:
        raise PlatformError(f"gcloud did not answer within {_TIMEOUT_SECONDS} s: {' '.join(words)}") from None
    if done.returncode:
        said = next((line for line in done.stderr.splitlines() if line.strip()), f"exit code {done.returncode}")
        said = "".join(one for one in said if one.isprintable())
        raise PlatformError(f"cluster '{gke.cluster.name}' cannot be read: {said}\nIt was: {' '.join(words)}")
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PlatformError(f"gcloud did not answer with a cluster: {' '.join(words)}")
    return found
