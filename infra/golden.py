"""What is committed for review: the plan as a comment, then everything that a stack makes."""

from __future__ import annotations

import dataclasses
from typing import Any

from infra.batch_job import BatchJob
from infra.cloud.endpoint import endpoint_resources
from infra.cloud.managed import managed_resources
from infra.cloud.platform_plan import platform_plan, resource_json
from infra.garden_deployment import deployment_of
from infra.managed_report import endpoint_text
from infra.pipeline import Built, Endpoint, ManagedEndpoint, Platform
from infra.plan.serving_plan import plain
from infra.platform_report import platform_manifest, resources_manifest
from infra.render import manifest
from infra.vertex.deployment import to_inputs

_NUMBER = "${project.number}"


def golden_text(built: Built) -> str:
    """Text of `tests/golden/<stack>.yaml`, and what `servestack render` prints."""
    if isinstance(built, Platform):
        return platform_manifest(platform_plan(built.name, built.spec))
    comment = "".join(f"# {line}".rstrip() + "\n" for line in endpoint_text(built.plan).splitlines())
    if isinstance(built, Endpoint) and built.service is not None:
        return comment + manifest([{"service": plain(dataclasses.asdict(built.service))}])
    if isinstance(built, Endpoint) and built.mac is not None:
        return comment + manifest([built.mac.record()])
    cloud = resources_manifest(_at_google(built)) if isinstance(built, ManagedEndpoint) else ""
    objects = built.objects()
    return comment + cloud + (manifest(objects) if objects else "")


def beside_objects(built: Endpoint | BatchJob) -> str:
    """What Pulumi makes at Google for an endpoint of a cluster, such as its node pools; empty where nothing."""
    gke = built.platform.gke
    if gke is None:
        return ""
    return resources_manifest([resource_json(one) for one in endpoint_resources(built.plan, gke, _NUMBER)])


def _at_google(endpoint: ManagedEndpoint) -> list[dict[str, Any]]:
    """What a managed endpoint's stack makes at Google, as Pulumi is told."""
    plan = endpoint.plan
    made = [resource_json(one) for one in managed_resources(plan, endpoint.container, _NUMBER)]
    if plan.garden is not None and plan.garden.provider == "sdk":
        inputs = to_inputs(deployment_of(endpoint))
        name = f"{plan.stack}-endpoint"
        made.append({"type": "pulumi-python:dynamic/vertex:ModelGardenDeployment", "name": name, "inputs": inputs})
    return made
