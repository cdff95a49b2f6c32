"""Mistakes with secrets that GKE fills, each with the one rule that it breaks; and what breaks none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from infra.plan.synced_secrets import SyncedKey, SyncedSecret
from tests.unit.policy_case import Case, args, env

RESOURCE = "projects/servestack-dev/secrets/keys/versions/3"
KEY = SyncedKey("current", "servestack-dev", "keys", "3", "")
ENTRY = {"sourcePath": "current", "targetKey": "current"}
RANDOM = "0123456789abcdef" * 4


def synced(
    *, spec: dict[str, Any] | None = None, data: Any = None, made: dict[str, Any] | None = None, named: str = "x"
) -> Callable[[Case], None]:
    """A provider class and its SecretSync, with changes to either; the plan knows the secret."""

    def change(case: Case) -> None:
        known = SyncedSecret("x", "Opaque", "expose.keySecret", (KEY,))
        case.plan = dataclasses.replace(case.plan, synced_secrets=(known,))
        text = f'- resourceName: "{RESOURCE}"\n  path: "current"\n'
        case.add("SecretProviderClass", spec={"provider": "gke", "parameters": {"secrets": text}} | (spec or {}))
        secret = {"type": "Opaque", "data": data or [ENTRY]} | (made or {})
        account = {"serviceAccountName": "x", "secretProviderClassName": named}
        case.add("SecretSync", spec={**account, "secretObject": secret})

    return change


def parameters(text: str, **more: str) -> Callable[[Case], None]:
    return synced(spec={"parameters": {"secrets": text} | more})


SECRET_MISTAKES: dict[str, tuple[str, Callable[[Case], object]]] = {
    "a value in a synced Secret": ("secret-synced", synced(data=[ENTRY | {"value": "abc"}])),
    "a value in its labels": ("secret-synced", synced(made={"labels": {"key": "abc"}})),
    "a path that is none of the class": ("secret-synced", synced(data=[{"sourcePath": "next", "targetKey": "next"}])),
    "a class that is not made": ("secret-synced", synced(named="other")),
    "a class that makes Secrets itself": ("secret-synced", synced(spec={"secretObjects": []})),
    "a class of another provider": ("secret-synced", synced(spec={"provider": "vault"})),
    "another secret than the plan's": (
        "secret-synced",
        parameters(f'- {{resourceName: "{RESOURCE.replace("keys", "root")}", path: current}}'),
    ),
    "another version than the plan's": (
        "secret-synced",
        parameters(f'- {{resourceName: "{RESOURCE[:-1]}latest", path: current}}'),
    ),
    "no secret of Secret Manager": ("secret-synced", parameters("- {resourceName: ../../secrets, path: current}")),
    "a value among the parameters": (
        "secret-synced",
        parameters(f'- {{resourceName: "{RESOURCE}", path: current, value: abc}}'),
    ),
    "more parameters": ("secret-synced", parameters(f'- {{resourceName: "{RESOURCE}", path: current}}', auth="x")),
    "parameters that are no YAML": ("secret-synced", parameters("- {")),
    "random bytes as a value": ("no-secret-value", env("GREETING", RANDOM)),
    "random bytes as an argument": ("no-secret-value", args("--greeting", f"Bearer {RANDOM}")),
    "random bytes in a synced Secret": (
        "no-secret-value",
        synced(data=[{"sourcePath": "current", "targetKey": "current"}], made={"type": RANDOM}),
    ),
    "a registry's file": (
        "no-secret-value",
        lambda case: case.add("ConfigMap", data={"config.json": '{"auths": {"nvcr.io": {"auth": "abc"}}}'}),
    ),
}

SECRETS_ALLOWED: dict[str, Callable[[Case], object]] = {
    "a synced Secret": synced(),
    "a checksum of a configuration": lambda case: case.deployment["template"]["metadata"]["annotations"].update(
        {"servestack.dev/proxy-config": RANDOM}
    ),
}
