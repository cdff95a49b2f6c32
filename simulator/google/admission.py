"""GKE's own admission rules, as policies of the API server: simulator/admission says each with its source.

They hold a moment after a cluster was made, when the API server has read them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from simulator.google.kubernetes_api import KubernetesApi, KubernetesError, Object

_FOLDER = Path(__file__).parents[1] / "admission"
_API = "/apis/admissionregistration.k8s.io/v1"
_PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings",
}


def policies(is_autopilot: bool) -> Iterator[Object]:
    """The policies of a cluster, each before its binding."""
    for kind in ("every", "autopilot") if is_autopilot else ("every",):
        for file in sorted((_FOLDER / kind).glob("*.yaml")):
            yield from yaml.safe_load_all(file.read_text())


def install(api: KubernetesApi, is_autopilot: bool) -> None:
    """Put the policies into a cluster, or bring those of an earlier start up to date.

    Raises:
        KubernetesError: The API server refuses one.
    """
    for policy in policies(is_autopilot):
        path = f"{_API}/{_PLURALS[policy['kind']]}"
        try:
            api.request("POST", path, policy)
        except KubernetesError as error:
            if error.code != 409:
                raise
            change = {"spec": policy["spec"]}
            api.request("PATCH", f"{path}/{policy['metadata']['name']}", change, "application/merge-patch+json")
