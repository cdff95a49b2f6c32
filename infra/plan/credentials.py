"""Secrets without which a framework can fetch neither image nor weights: named by the stack file, never read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from infra.catalog.records import Framework
from infra.plan.capabilities import Capabilities
from infra.plan.refusal import RefusedError
from infra.plan.synced_secrets import engine_secret, registry_secret, secret_name
from infra.spec import EndpointSpec, Engine


@dataclass(frozen=True)
class Credentials:
    """Names of Secrets in the endpoint's namespace; all empty where the framework needs none.

    Attributes:
        registry_secret: of type `kubernetes.io/dockerconfigjson`, with which the image is pulled.
        api_key_secret: holds the key, under `api_key_name`, with which weights are fetched.
        api_key_name: key in that Secret and environment variable of the engine.
    """

    registry_secret: str
    api_key_secret: str
    api_key_name: str


def check_credentials(spec: EndpointSpec, facts: Framework, capabilities: Capabilities) -> None:
    """See that both Secrets are named where they are needed, and none elsewhere.

    Raises:
        RefusedError: one is missing or too many.
    """
    named = {"registrySecret": spec.engine.registrySecret, "apiKeySecret": spec.engine.apiKeySecret}
    for field, value in named.items():
        if capabilities.api_key_name and value is None:
            raise RefusedError(
                ("framework",),
                f"{facts.display_name} fetches image and weights with an NGC key, which no stack file holds; write "
                "'engine: {registrySecret: NAME, apiKeySecret: NAME}' with the names of Secrets in the endpoint's "
                "namespace, or use framework: vllm, which needs none.",
            )
        if not capabilities.api_key_name and value is not None:
            raise RefusedError(("engine", field), f"{facts.display_name} needs no such Secret; leave it out.")


def credentials(stack: str, engine: Engine, capabilities: Capabilities) -> Credentials:
    """Names after `check_credentials`: as the stack file gives them, or those of Secrets that GKE fills."""
    return Credentials(
        secret_name(engine.registrySecret, registry_secret(stack)),
        secret_name(engine.apiKeySecret, engine_secret(stack)),
        capabilities.api_key_name,
    )


def credentials_caution(stack: str, known: Credentials, synced: Collection[str] = ()) -> str | None:
    """What must be there before the first pod starts, but for what GKE fills (`synced`)."""
    uses = (
        (known.registry_secret, "to pull the image"),
        (known.api_key_secret, f"key {known.api_key_name}"),
    )
    said = [f"{name} ({use})" for name, use in uses if name and name not in synced]
    if not said:
        return None
    many, them = ("s", "them") if len(said) > 1 else ("", "it")
    return f"Secret{many} {' and '.join(said)} must be in namespace {stack}: no pod starts without {them}"
