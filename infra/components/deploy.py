"""From a built stack file to resources and outputs: the one `match` of the program."""

from __future__ import annotations

import pulumi

from infra.batch_job import BatchJob
from infra.cloud.accounts import node_service_account
from infra.cloud.cluster_check import missing, missing_for
from infra.cloud.endpoint import endpoint_resources, needs_project_number
from infra.cloud.platform import platform_resources
from infra.cloud.subnet_check import missing_of_subnet
from infra.components.cloud import CloudResources
from infra.components.cluster_access import find_cluster, find_subnet, google_provider, tell
from infra.components.host import deploy_host
from infra.components.job import deploy_job
from infra.components.kubernetes import InferenceServer
from infra.components.local import deploy_local
from infra.components.managed import deploy_managed
from infra.components.own_cluster import check_platform, find_own_cluster
from infra.components.project import project_number
from infra.errors import PlanError
from infra.pipeline import Built, Endpoint, ManagedEndpoint, Platform
from infra.plan.needed_secrets import key_command
from infra.plan.platform_names import bucket_name
from infra.plan.synced_secrets import secret_commands
from infra.spec import Gke, PlatformSpec


def deploy(built: Built) -> None:
    """Declare the resources of a stack and export its outputs.

    Raises:
        PlatformError: the platform's cluster does not exist.
        PlanError: it is planned, but not deployed by this version.
    """
    match built:
        case Platform():
            _platform(built)
        case Endpoint() if built.service is not None:
            deploy_local(built)
        case Endpoint() if built.mac is not None:
            deploy_host(built)
        case Endpoint():
            _endpoint(built)
        case ManagedEndpoint():
            deploy_managed(built)
        case BatchJob():
            deploy_job(built)


def _gke(platform: PlatformSpec) -> Gke:
    if platform.gke is None:
        raise PlanError(
            "this version deploys on platforms with gke, kubernetes, google or local, and MLX on a host; other engines "
            "on a host are only planned."
        )
    return platform.gke


def _platform(platform: Platform) -> None:
    own = platform.spec.kubernetes
    if own is not None:
        check_platform(platform.name, own)
        pulumi.export("context", own.context)
        return
    if platform.spec.google is not None:
        pulumi.export("location", platform.spec.google.location)
        pulumi.export("project", platform.spec.google.project)
        return
    if platform.spec.local is not None:  # the machine is there, and nothing is made of it
        pulumi.export("machine", "local")
    if platform.spec.host is not None:  # the machines are there, and nothing is made of them
        pulumi.export("machines", list(platform.spec.host.machines))
        return
    gke = _gke(platform.spec)
    provider = google_provider(gke)
    if gke.cluster.create:
        if not gke.network.create:
            tell(platform.name, missing_of_subnet(find_subnet(platform.name, gke, provider), gke))
        CloudResources(platform.name, platform_resources(platform.name, platform.spec), provider)
        pulumi.export("bucket", bucket_name(platform.name, gke))
        pulumi.export("nodeServiceAccount", node_service_account(gke))
    else:
        tell(platform.name, missing(find_cluster(platform.name, gke, provider).facts, gke))
    pulumi.export("cluster", gke.cluster.name)
    pulumi.export("location", gke.location)
    pulumi.export("project", gke.project)


def _endpoint(endpoint: Endpoint) -> None:
    objects, plan, own = endpoint.objects(), endpoint.plan, endpoint.platform.kubernetes
    if own is not None:
        own_cluster = find_own_cluster(endpoint.platform_name, own, plan, objects)
        server = InferenceServer(plan, objects, own_cluster, depends_on=())
        pulumi.export("context", own.context)
    else:
        gke = _gke(endpoint.platform)
        provider = google_provider(gke)
        cluster = find_cluster(endpoint.platform_name, gke, provider)
        tell(endpoint.platform_name, missing_for(cluster.facts, gke, plan))
        number = project_number(gke.project, provider) if needs_project_number(plan) else None
        cloud = CloudResources(plan.stack, endpoint_resources(plan, gke, number), provider)
        server = InferenceServer(plan, objects, cluster, depends_on=list(cloud.made.values()))
    inside, gateway = dict(endpoint.workload.client_environment)["OPENAI_BASE_URL"], plan.exposure.gateway
    url = gateway.url if gateway else inside
    pulumi.export("url", pulumi.Output.all(server.ready, url).apply(lambda pair: pair[1]))
    if gateway:
        pulumi.export("clusterUrl", inside)
    pulumi.export("authentication", plan.access.authentication)
    if plan.access.secret:
        pulumi.export("keySecret", plan.access.secret)
        pulumi.export("keyCommand", key_command(plan))
    if plan.synced_secrets:
        pulumi.export("secretCommands", list(secret_commands(plan.synced_secrets)))
    pulumi.export("model", plan.model.id)
    pulumi.export("namespace", plan.stack)
    pools = [one.name for one in plan.node_pools.pools if one.name]
    if pools:
        pulumi.export("nodePool", pools[0])
    if len(pools) > 1:
        pulumi.export("nodePools", pools)
    if plan.node_pools.compute_class:
        pulumi.export("computeClass", plan.node_pools.compute_class)
    pulumi.export("plan", plan.summary())
    pulumi.export("cost", {"usdPerHour": plan.cost.hourly_usd, "basis": plan.cost.basis})
