"""Which Secrets of its namespace an endpoint needs, and what is done where one is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.plan.serving_plan import ServingPlan
from infra.plan.synced_secrets import secret_commands
from infra.plan.weights_source import token_command


@dataclass(frozen=True)
class NeededSecret:
    """A Secret in the endpoint's namespace.

    Attributes:
        use: `calls` where no call is answered without it, `starts` where no pod starts without it.
        synced: whether GKE fills it from Secret Manager.
        command: makes it, or what it is filled from; without its value.
    """

    name: str
    use: Literal["calls", "starts"]
    synced: bool
    command: str


def needed_secrets(plan: ServingPlan) -> tuple[NeededSecret, ...]:
    """All of them, those first without which no pod starts."""
    known, stack = plan.credentials, plan.stack
    found = [
        (known.registry_secret, "starts", _registry_command(stack, known.registry_secret)),
        (known.api_key_secret, "starts", _engine_command(stack, known.api_key_secret, known.api_key_name)),
        (plan.weights.token_secret, "starts", token_command(stack, plan.weights.token_secret)),
        (plan.access.secret, "calls", plan.access.key_command(stack)),
    ]
    filled = {one.name: " && ".join(secret_commands((one,))) for one in plan.synced_secrets}
    return tuple(
        NeededSecret(name, "calls" if use == "calls" else "starts", name in filled, filled.get(name, command))
        for name, use, command in found
        if name
    )


def key_command(plan: ServingPlan) -> str:
    """Command that makes the first key of callers; empty where none is asked for."""
    return next((one.command for one in needed_secrets(plan) if one.use == "calls"), "")


def _registry_command(namespace: str, name: str) -> str:
    account = "--docker-username='$oauthtoken' --docker-password=\"$NGC_API_KEY\""
    return f"kubectl -n {namespace} create secret docker-registry {name} --docker-server=nvcr.io {account}"


def _engine_command(namespace: str, name: str, key: str) -> str:
    return f'kubectl -n {namespace} create secret generic {name} --from-literal={key}="${key}"'
