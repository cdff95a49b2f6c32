"""Secrets of Secret Manager: which become Secrets of the endpoint's namespace, under the names that its pods use.

GKE's own controller writes them (SecretSync), with the endpoint's service account, and again when a version changes: no
value passes through a stack file, a plan, an object that is rendered, or Pulumi's state.
"""

from __future__ import annotations

from dataclasses import dataclass

from infra.plan.refusal import RefusedError
from infra.spec import EndpointSpec, Gke, ManagedKeys, ManagedSecret

OPAQUE, REGISTRY_TYPE = "Opaque", "kubernetes.io/dockerconfigjson"
REGISTRY_KEY = ".dockerconfigjson"
# Secret Manager documentation, "Synchronize secrets to Kubernetes Secrets".
_LEAST_VERSION = "1.33"
_Row = tuple[str, object, object, str, str]


@dataclass(frozen=True)
class SyncedKey:
    """One key of a Secret, and the version in Secret Manager that fills it.

    Attributes:
        key: in the Secret.
        project, secret, version: in Secret Manager; a version is a number or `latest`.
        command: makes the version, and the secret with its first one; the value comes from standard input.
    """

    key: str
    project: str
    secret: str
    version: str
    command: str

    @property
    def path(self) -> str:
        """Name under which the SecretProviderClass hands it to the SecretSync."""
        return self.key.lstrip(".")

    @property
    def resource(self) -> str:
        """As Secret Manager names the version."""
        return f"projects/{self.project}/secrets/{self.secret}/versions/{self.version}"


@dataclass(frozen=True)
class SyncedSecret:
    """A Secret of the endpoint's namespace that GKE fills from Secret Manager.

    Attributes:
        name: of the Secret.
        type: as Kubernetes names it.
        field: of the stack file that asks for it.
        keys: of the Secret, in order.
    """

    name: str
    type: str
    field: str
    keys: tuple[SyncedKey, ...]


def secret_name(reference: str | ManagedSecret | ManagedKeys | None, default: str) -> str:
    """Name of the Secret that pods use: as the stack file says it, or `default` for one that is synchronized."""
    if reference is None:
        return ""
    return reference if isinstance(reference, str) else default


def keys_secret(stack: str) -> str:
    """Name of the Secret with the keys of callers, where the stack file names none."""
    return f"{stack}-keys"


def hub_secret(stack: str) -> str:
    """Name of the synchronized Secret with the hub's token."""
    return f"{stack}-hub"


def registry_secret(stack: str) -> str:
    """Name of the synchronized Secret with which images are pulled."""
    return f"{stack}-registry"


def engine_secret(stack: str) -> str:
    """Name of the synchronized Secret with the engine's own key."""
    return f"{stack}-engine"


def synced_secrets(stack: str, spec: EndpointSpec, gke: Gke | None, api_key_name: str) -> tuple[SyncedSecret, ...]:
    """What is synchronized for one endpoint, in the order of the fields.

    Args:
        stack: its name.
        spec: what its file says.
        gke: its platform, None where that is no GKE.
        api_key_name: key of the engine's Secret; empty where the framework needs none.

    Raises:
        RefusedError: the platform is no GKE, two fields would fill one Secret, or another account reads.
    """
    keys, token = spec.expose.keySecret, spec.weights.tokenSecret
    registry, engine = spec.engine.registrySecret, spec.engine.apiKeySecret
    asked: list[tuple[str, str, str, list[tuple[str, ManagedSecret]]]] = []
    if isinstance(keys, ManagedKeys):
        both = [("current", keys.current), *([("next", keys.next)] if keys.next else [])]
        asked.append(("expose.keySecret", keys_secret(stack), OPAQUE, both))
    if isinstance(token, ManagedSecret):
        asked.append(("weights.tokenSecret", hub_secret(stack), OPAQUE, [("token", token)]))
    if isinstance(registry, ManagedSecret):
        asked.append(("engine.registrySecret", registry_secret(stack), REGISTRY_TYPE, [(REGISTRY_KEY, registry)]))
    if isinstance(engine, ManagedSecret):
        asked.append(("engine.apiKeySecret", engine_secret(stack), OPAQUE, [(api_key_name, engine)]))
    if not asked:
        return ()
    first = tuple(asked[0][0].split("."))
    if gke is None:
        raise RefusedError(first, "secrets of Secret Manager reach pods on GKE alone; name a Secret of the namespace.")
    _check(stack, spec, {name: field for field, name, _, _ in asked})
    return tuple(
        SyncedSecret(name, kind, field, tuple(_key(key, one, gke.project) for key, one in values))
        for field, name, kind, values in asked
    )


def synced_cautions(synced: tuple[SyncedSecret, ...], gke: Gke | None) -> tuple[str, ...]:
    """What must be there before the first pod starts."""
    if not synced or gke is None:
        return ()
    wanted = ", ".join(dict.fromkeys(f"projects/{one.project}/secrets/{one.secret}" for one in _all_keys(synced)))
    said = [f"Secret Manager must hold {wanted} before `pulumi up`: --explain prints the commands"]
    if not gke.cluster.create:
        said.append(
            f"cluster {gke.cluster.name} must synchronize secrets: GKE {_LEAST_VERSION} or newer, with the Secret "
            "Manager add-on and secret synchronization switched on"
        )
    return tuple(said)


def synced_rows(synced: tuple[SyncedSecret, ...]) -> list[_Row]:
    """Decisions: field, value, what was asked, origin and reason; one for every key of every Secret."""
    return [
        (
            "syncedSecrets",
            f"{secret.name}, key {one.key}: {one.resource}",
            None,
            "stack",
            f"{secret.field}; GKE writes it into that Secret, and no value passes through here",
        )
        for secret in synced
        for one in secret.keys
    ]


def secret_commands(synced: tuple[SyncedSecret, ...]) -> tuple[str, ...]:
    """Commands that make the secrets, each once; without any value."""
    return tuple(dict.fromkeys(one.command for one in _all_keys(synced)))


def _all_keys(synced: tuple[SyncedSecret, ...]) -> list[SyncedKey]:
    return [one for secret in synced for one in secret.keys]


def _check(stack: str, spec: EndpointSpec, names: dict[str, str]) -> None:
    if spec.weights.serviceAccount:
        raise RefusedError(
            ("weights", "serviceAccount"),
            f"with it {spec.weights.serviceAccount} would read the secrets, whose rights this stack does not set; "
            f"leave it out, so that service account {stack} reads secrets and bucket by itself.",
        )
    certificate = spec.expose.gateway.certificate if spec.expose.gateway else None
    others = {
        "expose.keySecret": spec.expose.keySecret,
        "weights.tokenSecret": spec.weights.tokenSecret,
        "engine.registrySecret": spec.engine.registrySecret,
        "engine.apiKeySecret": spec.engine.apiKeySecret,
        "expose.gateway.certificate.secret": certificate.secret if certificate else None,
    }
    if spec.expose.keySecret is None and spec.expose.authentication == "key":
        others["expose.keySecret"] = keys_secret(stack)
    for field, name in others.items():
        if isinstance(name, str) and name in names:
            raise RefusedError(
                tuple(field.split(".")),
                f"{name} is the Secret that {names[name]} fills from Secret Manager; use another name.",
            )


def _key(key: str, asked: ManagedSecret, project: str) -> SyncedKey:
    own, _, name = asked.secretManager.rpartition("/secrets/")
    where = own.removeprefix("projects/") or project
    first = f"gcloud secrets create {name} --project={where} --replication-policy=automatic --data-file=-"
    later = f"gcloud secrets versions add {name} --project={where} --data-file=-"
    return SyncedKey(
        key, where, name, str(asked.version), f"{_value(key)} | {first if asked.version in ('latest', 1) else later}"
    )


def _value(key: str) -> str:
    """Command that writes a value to standard output, from where it is already or out of random bytes."""
    if key in ("current", "next"):
        return "openssl rand -hex 32 | tr -d '\\n'"
    if key == REGISTRY_KEY:
        return (
            "kubectl create secret docker-registry x --docker-server=nvcr.io --docker-username='$oauthtoken' "
            "--docker-password=\"$NGC_API_KEY\" --dry-run=client -o 'jsonpath={.data.\\.dockerconfigjson}' | base64 -d"
        )
    return f'printf %s "${"HF_TOKEN" if key == "token" else key}"'
