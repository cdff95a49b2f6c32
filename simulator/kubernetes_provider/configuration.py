"""The provider's configuration, from Configure's variables and the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from simulator.kubernetes_provider import kubeconfig
from simulator.kubernetes_provider.cluster import Cluster
from simulator.kubernetes_provider.errors import ApiError, KubeconfigError, ProviderError, UnreachableError

_PREFIX = "kubernetes:config:"
_NO_CLIENT = (
    "unable to load Kubernetes client configuration from kubeconfig file. Make sure you have: \n\n"
    " \t • set up the provider as per "
    "https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ \n\n {error}"
)


@dataclass(frozen=True)
class Configuration:
    """One provider resource's configuration.

    Official behaviour: provider.go Configure.

    Attributes:
        cluster: the API server's client; None where there is no usable kubeconfig.
        unreachable: why the cluster cannot be used, or empty.
        namespace: for objects that name none; never empty.
        server_side_apply: whether updates are applied by the server.
    """

    cluster: Cluster | None
    unreachable: str
    namespace: str
    server_side_apply: bool = True
    patch_force: bool = False
    upsert: bool = False
    config_map_mutable: bool = False
    secret_mutable: bool = False
    reject_unknown: bool = False
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    suppress_deprecation: bool = False
    suppress_helm_hook: bool = False

    def reachable(self) -> Cluster:
        """The API server's client.

        Raises:
            ProviderError: the cluster is unreachable.
        """
        if self.cluster is None or self.unreachable:
            raise ProviderError(f"configured Kubernetes cluster is unreachable: {self.unreachable}")
        return self.cluster


def _flag(variables: Mapping[str, str], key: str, environment: str, default: bool = False) -> bool:
    """A switch: the provider's argument, else the environment, else the default."""
    text = variables.get(_PREFIX + key) or os.environ.get(environment)
    return default if not text else text.lower() == "true"


def configure(variables: Mapping[str, str]) -> Configuration:
    """Builds the configuration and connects to the cluster.

    A broken kubeconfig or an unreachable server is no error here: it is kept as the reason for later ones.

    Args:
        variables: `kubernetes:config:KEY` -> text; objects are JSON text.

    Raises:
        ProviderError: the server is older than Kubernetes 1.13.
    """

    def text(key: str) -> str:
        return variables.get(_PREFIX + key) or ""

    cluster, unreachable, context_namespace = _connect(
        text("kubeconfig"), text("context") or None, text("cluster") or None
    )
    if cluster is not None and not unreachable and cluster.version < (1, 13):
        major, minor = cluster.version
        raise ProviderError(f"minimum supported cluster version is v1.13. found v{major}.{minor}")
    return Configuration(
        cluster=cluster,
        unreachable=unreachable,
        namespace=text("namespace") or context_namespace or "default",
        server_side_apply=_flag(
            variables, "enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", default=True
        ),
        patch_force=_flag(variables, "enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsert=_flag(variables, "upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        config_map_mutable=_flag(variables, "enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        secret_mutable=_flag(variables, "enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        reject_unknown=_flag(variables, "rejectUnknownResources", "PULUMI_K8S_REJECT_UNKNOWN_RESOURCES"),
        delete_unreachable=_flag(variables, "deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skip_update_unreachable=_flag(variables, "skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        suppress_deprecation=_flag(
            variables, "suppressDeprecationWarnings", "PULUMI_K8S_SUPPRESS_DEPRECATION_WARNINGS"
        ),
        suppress_helm_hook=_flag(variables, "suppressHelmHookWarnings", "PULUMI_K8S_SUPPRESS_HELM_HOOK_WARNINGS"),
    )


def _connect(given: str, context: str | None, cluster: str | None) -> tuple[Cluster | None, str, str]:
    """The client, the reason why it cannot be used (or empty), and the context's namespace."""
    try:
        config = kubeconfig.load(given) if given else kubeconfig.ambient()
    except (KubeconfigError, OSError) as error:
        reason = f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`- {error}"
        return None, reason if given else _NO_CLIENT.format(error=error), ""
    try:
        connection = config.connection(context, cluster)
    except KubeconfigError as error:
        return None, _NO_CLIENT.format(error=error), ""
    client = Cluster(connection)
    try:
        client.connect()
    except (UnreachableError, ApiError, KubeconfigError) as error:
        reason = f"unable to load schema information from the API server: {error}"
        return client, reason, connection.namespace
    return client, "", connection.namespace
