"""All resource types that are described as data."""

from __future__ import annotations

from simulator.google import (
    api_keys,
    buckets,
    budgets,
    iam_members,
    networks,
    project_services,
    repositories,
    secret_versions,
    secrets,
    service_accounts,
    subnetworks,
    vertex_endpoints,
)
from simulator.google.resource_type import ResourceType

RESOURCE_TYPES: dict[str, ResourceType] = {
    one.token: one
    for module in (
        api_keys,
        buckets,
        budgets,
        iam_members,
        networks,
        project_services,
        repositories,
        secret_versions,
        secrets,
        service_accounts,
        subnetworks,
        vertex_endpoints,
    )
    for one in module.TYPES
}


def token_of(name: str) -> str | None:
    """The type that a person means: its token, or the end of it, such as "compute.Network" or "Network".

    None when it is none, or when it may be several.
    """
    from simulator.google.schema import known_resources

    def short(token: str) -> tuple[str, str]:
        _, module, kind = token.split(":")
        return f"{module.partition('/')[0]}.{kind}", kind

    found = [token for token in known_resources() if name == token or name in short(token)]
    return found[0] if len(found) == 1 else None
