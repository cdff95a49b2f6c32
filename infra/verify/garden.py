"""An endpoint of Model Garden as Vertex AI has it, beside what its plan deploys."""

from __future__ import annotations

from typing import Any

from infra.garden_deployment import deployment_of
from infra.pipeline import ManagedEndpoint
from infra.plan.managed import ManagedPlan
from infra.verify.rows import Row, compared, unread, words_apart
from infra.vertex.deployment import FIELDS, Deployment, to_inputs

# What Google does not tell of a deployment, or what matters only while it is made.
_NOT_TOLD = {"timeout_seconds", "accept_eula", "stack", "project", "location", "endpoint_id", "model_id"}
_OF_THE_MODEL = {one for one in FIELDS if one.startswith("container_")} | {
    "predict_route",
    "health_route",
    "shared_memory_mb",
}


def verify_garden(endpoint: ManagedEndpoint) -> list[Row]:
    """Compare with what is there.

    Raises:
        VertexError: Google refuses, with its own words.
    """
    from infra.vertex import session  # the Google client: slow to import

    wanted = deployment_of(endpoint)
    return session.run(wanted, "", "cannot be read", lambda garden: _rows(endpoint.plan, wanted, garden))


def _rows(plan: ManagedPlan, wanted: Deployment, garden: Any) -> list[Row]:
    live = garden.read()
    if live is None:
        return [compared("endpoint", wanted.endpoint_id, "absent, or not this stack's", f"pulumi up -s {plan.stack}")]
    step = f"pulumi up --refresh -s {plan.stack}"
    if not live.deployed_model_id:
        return [compared("deployed model", wanted.model_id, "none: undeployed by hand", step)]
    ours, theirs = to_inputs(wanted), to_inputs(live.deployment)
    names = [name for name in FIELDS if name not in _NOT_TOLD | _OF_THE_MODEL]
    rows = [compared(name.replace("_", " "), ours[name], theirs[name], step) for name in names]
    container = garden.container()
    if container is None:
        return [*rows, unread("container", wanted.container_image or "Model Garden's own", "no entry in the Registry")]
    return [*rows, *_container(wanted, container, step)]


def _container(wanted: Deployment, spec: Any, step: str) -> list[Row]:
    """Model Garden adds arguments of its own, so that ours have to be among them."""
    if not wanted.container_image:
        return [unread("container image", "Model Garden's own", str(spec.image_uri) or "Google does not tell it")]
    live = list(spec.args)
    missing = [one for one in wanted.container_args if one not in live]
    ours, theirs = words_apart(list(wanted.container_args), live) if missing else ("as planned", "as planned")
    return [
        compared("container image", wanted.container_image, spec.image_uri, step),
        compared("container args", ours, theirs, step, same=not missing),
    ]
