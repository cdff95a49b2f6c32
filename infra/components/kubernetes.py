"""Kubernetes: one Pulumi resource per rendered object, so that a preview shows every field."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import pulumi
import pulumi_kubernetes

from infra.components.cluster_access import ClusterAccess
from infra.plan.serving_plan import ServingPlan

_SERVERS = ("Deployment", "LeaderWorkerSet")
_BEFORE_PODS = ("ComputeClass", "PriorityClass", "SecretProviderClass", "SecretSync")
_PLUGIN_VERSION = version("pulumi-kubernetes")


class InferenceServer(pulumi.ComponentResource):
    """The objects of one endpoint on a cluster, in the order in which they are given.

    Attributes:
        ready: resolves when the Deployment serves.
    """

    ready: pulumi.Output[Any]

    def __init__(
        self,
        plan: ServingPlan,
        objects: list[dict[str, Any]],
        cluster: ClusterAccess,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        super().__init__("servestack:kubernetes:InferenceServer", plan.stack)
        provider = provider_of(cluster, self)
        created = f"{plan.timing.timeout_seconds + plan.rollout.min_ready_seconds}s"
        updated = f"{plan.rollout.timeout_seconds}s"
        # Pods that name a PriorityClass are refused until it exists; those that name a Secret or a class wait for it.
        before_pods = list(depends_on)
        namespace: pulumi.Resource | None = None
        route: pulumi.Resource | None = None
        self.ready = pulumi.Output.from_input(None)
        for manifest in objects:
            kind = manifest["kind"]
            serves = is_server(manifest)
            # KEDA's add-on tells a metric only where the route is already there (its guide "Autoscale an App").
            # A SecretSync reads with rights, and by a class, that are made before it; a ComputeClass names pools.
            after = serves or kind in ("ComputeClass", "SecretSync")
            first = before_pods if after else [route] if route and kind == "ScaledObject" else []
            needs = [*([namespace] if namespace else []), *first]
            limits = pulumi.CustomTimeouts(create=created, update=updated) if serves else None
            resource = object_resource(manifest, self, provider, needs, limits)
            if kind == "Namespace":
                namespace = resource
            if kind == "InterceptorRoute":
                route = resource
            if kind in _BEFORE_PODS:
                before_pods.append(resource)
            if serves:
                self.ready = resource.id
        self.register_outputs({})


def provider_of(cluster: ClusterAccess, parent: pulumi.Resource) -> pulumi_kubernetes.Provider:
    """The one Kubernetes provider of a stack."""
    return pulumi_kubernetes.Provider(
        "cluster",
        kubeconfig=pulumi.Output.secret(cluster.kubeconfig) if cluster.secret else cluster.kubeconfig,
        cluster_identifier=cluster.identifier,
        # A field that someone edited by hand is taken back: the stack file is the truth about what it made.
        enable_patch_force=True,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def object_resource(
    manifest: dict[str, Any],
    parent: pulumi.Resource,
    provider: pulumi_kubernetes.Provider,
    needs: Sequence[pulumi.Resource],
    limits: pulumi.CustomTimeouts | None = None,
) -> pulumi.CustomResource:
    """One object as a resource, made after those that it needs."""
    return pulumi.CustomResource(
        type_token(manifest),
        manifest["metadata"]["name"],
        manifest,
        pulumi.ResourceOptions(
            parent=parent,
            provider=provider,
            version=_PLUGIN_VERSION,
            depends_on=needs,
            custom_timeouts=limits,
        ),
    )


def is_server(manifest: dict[str, Any]) -> bool:
    """Whether an object is the Deployment or the groups of the engine: what has its own name's namespace."""
    metadata = manifest["metadata"]
    return bool(manifest["kind"] in _SERVERS and metadata["name"] == metadata["namespace"])


def type_token(manifest: dict[str, Any]) -> str:
    """Pulumi type of an object: `kubernetes:apps/v1:Deployment`; the core group is spelled out."""
    api_version = manifest["apiVersion"]
    return f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{manifest['kind']}"
