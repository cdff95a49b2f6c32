"""Jobs: what their stack makes, and what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi

from infra.batch_job import BatchJob
from infra.cloud.cluster_check import missing_for_job
from infra.cloud.endpoint import endpoint_resources, needs_project_number
from infra.components.cloud import CloudResources
from infra.components.cluster_access import ClusterAccess, find_cluster, google_provider, tell
from infra.components.kubernetes import object_resource, provider_of
from infra.components.project import project_number


class JobObjects(pulumi.ComponentResource):
    """The objects of one job, in the order in which they are given; its Job starts when all others are there."""

    def __init__(
        self,
        stack: str,
        objects: list[dict[str, Any]],
        cluster: ClusterAccess,
        depends_on: Sequence[pulumi.Resource],
    ) -> None:
        """Declare them.

        Args:
            stack: name of the stack.
            objects: as rendered.
            cluster: where.
            depends_on: what comes before the Job: its machines and its rights.
        """
        super().__init__("servestack:kubernetes:Job", stack)
        provider = provider_of(cluster, self)
        namespace: list[pulumi.Resource] = []
        before: list[pulumi.Resource] = []
        for manifest in objects:
            needs = [*before, *depends_on] if manifest["kind"] == "Job" else namespace
            resource = object_resource(manifest, self, provider, needs)
            before.append(resource)
            namespace = namespace or [resource]
        self.register_outputs({})


def deploy_job(job: BatchJob) -> None:
    """Declare the resources of a job and export its outputs; nobody waits for its end.

    Raises:
        PlatformError: the platform's cluster cannot be read, or lacks what the job needs.
    """
    plan, gke = job.plan, job.platform.gke
    assert gke is not None, "no other platform has jobs"
    provider = google_provider(gke)
    cluster = find_cluster(job.platform_name, gke, provider)
    tell(job.platform_name, missing_for_job(cluster.facts, gke, plan))
    number = project_number(gke.project, provider) if needs_project_number(plan) else None
    cloud = CloudResources(plan.stack, endpoint_resources(plan, gke, number), provider)
    objects = job.objects()
    JobObjects(plan.stack, objects, cluster, depends_on=list(cloud.made.values()))
    pulumi.export("result", plan.result)
    pulumi.export("mode", plan.work.mode)
    pulumi.export("model", plan.model.id)
    pulumi.export("namespace", plan.stack)
    pulumi.export("job", objects[-1]["metadata"]["name"])
    pulumi.export(
        "logsCommand", f"kubectl logs --namespace {plan.stack} --follow job/{objects[-1]['metadata']['name']}"
    )
    pulumi.export("nodePool", plan.node_pools.pools[0].name)
    pulumi.export("plan", plan.summary())
    pulumi.export(
        "cost",
        {
            "usdPerHour": plan.cost.hourly_usd,
            "usdAtMost": plan.cost.most_usd and round(plan.cost.most_usd, 4),
            "basis": plan.cost.basis,
        },
    )
