"""What a cluster's pods need to call an endpoint that Google runs: namespace, identity, address, no more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.frameworks.synced import Synced, synced
from infra.frameworks.weights_pod import metadata_rules, public_https
from infra.plan.managed import ManagedPlan

AFTER_DEPLOYMENT = "known after deployment"


@dataclass(frozen=True)
class CallerWorkload:
    """Objects of one managed endpoint on a cluster.

    Attributes:
        plan: of the endpoint.
        client_environment: of the ConfigMap: base URL and model, by the names that clients read.
        account_annotations: of the service account: the Google account as which its pods call.
        egress: rules of the NetworkPolicy beside names.
    """

    plan: ManagedPlan
    client_environment: tuple[tuple[str, str], ...]
    account_annotations: tuple[tuple[str, str], ...]
    egress: tuple[dict[str, Any], ...]

    @cached_property
    def synced(self) -> tuple[Synced, ...]:
        """Secrets that GKE fills from Secret Manager."""
        return synced(self.plan.synced_secrets)


def caller_workload(plan: ManagedPlan) -> CallerWorkload | None:
    """The objects' content; None where the platform has no cluster.

    The Gemini API is called with a key, so its pods need no Google account; access to the metadata server stays closed.
    """
    if not plan.calling.namespace:
        return None
    tokens = not plan.calling.key_id
    url = plan.base_url or AFTER_DEPLOYMENT
    model = plan.model.request_model or AFTER_DEPLOYMENT
    return CallerWorkload(
        plan=plan,
        client_environment=(("OPENAI_BASE_URL", url), ("OPENAI_MODEL", model)),
        account_annotations=(("iam.gke.io/gcp-service-account", plan.calling.email),) if tokens else (),
        egress=(*(metadata_rules() if tokens else ()), public_https()),
    )
