"""Endpoints that Google runs: what their stack makes, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from infra.cloud.cluster_check import missing_for_callers
from infra.cloud.managed import managed_resources, needs_number, ready
from infra.components.callers import CallerObjects
from infra.components.cloud import CloudResources
from infra.components.cluster_access import find_cluster, google_provider, project_provider, tell
from infra.components.project import project_number
from infra.components.vertex import ModelGardenDeployment
from infra.garden_deployment import deployment_of
from infra.pipeline import ManagedEndpoint

if TYPE_CHECKING:
    pass

_CONSOLE = "https://console.cloud.google.com/vertex-ai/online-prediction"


@dataclass(frozen=True)
class _Served:
    """What a stack tells of an endpoint of Model Garden, known after it is deployed."""

    endpoint: pulumi.Input[str]
    dedicated_dns: pulumi.Input[str]
    base_url: pulumi.Input[str]
    request_model: pulumi.Input[str]
    console_url: pulumi.Input[str]


def deploy_managed(endpoint: ManagedEndpoint) -> None:
    """Declare the resources of a managed endpoint and export its outputs.

    Raises:
        PlatformError: the platform's cluster or project cannot be read, or the cluster lacks what callers need.
    """
    plan, gke = endpoint.plan, endpoint.platform.gke
    provider = google_provider(gke) if gke else project_provider(plan.project, *_region(endpoint))
    cluster = find_cluster(endpoint.platform_name, gke, provider) if gke else None
    if gke and cluster:
        tell(endpoint.platform_name, missing_for_callers(cluster.facts, gke, key=bool(plan.calling.key_id)))
    native = plan.garden is not None and plan.garden.provider == "native"
    number = project_number(plan.project, provider) if native or needs_number(plan) else None
    cloud = CloudResources(plan.stack, managed_resources(plan, endpoint.container, number), provider)
    made = list(cloud.made.values())
    served = _served(endpoint, cloud, number)
    if cluster is not None:
        told = {"OPENAI_BASE_URL": served.base_url, "OPENAI_MODEL": served.request_model} if served else {}
        CallerObjects(plan.stack, endpoint.objects(), told, cluster, depends_on=made)
    _export(endpoint, served)


def _region(endpoint: ManagedEndpoint) -> tuple[str]:
    assert endpoint.platform.cloud is not None
    return (endpoint.platform.cloud[1],)


def _served(endpoint: ManagedEndpoint, cloud: CloudResources, number: str | None) -> _Served | None:
    plan = endpoint.plan
    if plan.garden is None:
        return None
    if plan.garden.provider == "native":
        return _native(endpoint, cloud.made[f"{plan.stack}-endpoint"], number or "")
    # Nobody can call before the rights are there, but the machines take the longer time: only services come first.
    after = [cloud.made[name] for name in ready(plan)]
    deployed = ModelGardenDeployment(
        f"{plan.stack}-endpoint", deployment_of(endpoint), pulumi.ResourceOptions(depends_on=after)
    )
    return _Served(
        deployed.endpoint,
        deployed.dedicated_dns,
        deployed.base_url,
        plan.model.request_model or deployed.request_model,
        deployed.console_url,
    )


def _native(endpoint: ManagedEndpoint, resource: pulumi.CustomResource, number: str) -> _Served:
    """Pulumi's own resource does not tell the endpoint's address, which follows from its id (Vertex AI docs)."""
    plan = endpoint.plan
    identity: pulumi.Output[str] = resource.id.apply(lambda name: name.rpartition("/")[2])
    host = identity.apply(lambda one: f"{one}.{plan.location}-{number}.prediction.vertexai.goog")
    where = f"projects/{plan.project}/locations/{plan.location}/endpoints"
    return _Served(
        identity,
        host,
        pulumi.Output.concat("https://", host, "/v1/", where, "/", identity),
        plan.model.request_model,
        pulumi.Output.concat(f"{_CONSOLE}/locations/{plan.location}/endpoints/", identity, f"?project={plan.project}"),
    )


def _export(endpoint: ManagedEndpoint, served: _Served | None) -> None:
    plan = endpoint.plan
    pulumi.export("url", served.base_url if served else plan.base_url)
    pulumi.export("requestModel", served.request_model if served else plan.model.request_model)
    if served:
        pulumi.export("endpoint", served.endpoint)
        pulumi.export("dedicatedDns", served.dedicated_dns)
        pulumi.export("consoleUrl", served.console_url)
    pulumi.export("model", plan.model.id)
    pulumi.export("service", plan.service)
    pulumi.export("project", plan.project)
    pulumi.export("location", plan.location or "not told by Google")
    pulumi.export("callersAccount", plan.calling.email)
    if plan.calling.key_id:
        secret = plan.calling.key_secret
        pulumi.export("authentication", "key")
        pulumi.export("keySecret", f"projects/{plan.project}/secrets/{secret}")
        pulumi.export("keyCommand", f"gcloud secrets versions access latest --secret={secret} --project={plan.project}")
    else:
        pulumi.export("authentication", "access-token")
    if plan.calling.namespace:
        pulumi.export("namespace", plan.calling.namespace)
    pulumi.export("plan", plan.summary())
    pulumi.export("cost", {"usdPerHour": plan.cost.hourly_usd, "basis": plan.cost.basis})
