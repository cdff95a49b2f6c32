"""What the templates need for Secrets that GKE fills from Secret Manager."""

from __future__ import annotations

from dataclasses import dataclass

from infra.plan.synced_secrets import SyncedSecret


@dataclass(frozen=True)
class Synced:
    """One SecretProviderClass and one SecretSync, both with the name of the Secret.

    Attributes:
        type: of the Secret.
        parameter: what GKE's provider reads, as YAML in a text (Secret Manager documentation, "Use Secret Manager
            add-on with GKE"); names in it are letters, digits and hyphens alone.
        data: source and target of every key.
    """

    name: str
    type: str
    parameter: str
    data: tuple[dict[str, str], ...]


def synced(secrets: tuple[SyncedSecret, ...]) -> tuple[Synced, ...]:
    """Those of one endpoint. Each Secret has a provider class of its own, so that one that fails holds up no other."""
    return tuple(_one(secret) for secret in secrets)


def _one(secret: SyncedSecret) -> Synced:
    lines = [f'- resourceName: "{one.resource}"\n  path: "{one.path}"\n' for one in secret.keys]
    data = tuple({"sourcePath": one.path, "targetKey": one.key} for one in secret.keys)
    return Synced(secret.name, secret.type, "".join(lines), data)
