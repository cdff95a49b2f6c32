"""What the program would deploy for the stack, but for one change named by the environment variable `MISTAKE`."""

import os
from pathlib import Path
from typing import Any

import pulumi

from infra.cloud.endpoint import endpoint_resources
from infra.components.cloud import CloudResources
from infra.components.cluster_access import find_cluster, google_provider
from infra.components.kubernetes import InferenceServer
from infra.pipeline import Endpoint, build
from infra.stack_folder import StackFolder

built = build(pulumi.get_stack(), StackFolder(Path(__file__).resolve().parents[4] / "stacks"))
assert isinstance(built, Endpoint)
gke = built.platform.gke
assert gke
objects: dict[str, dict[str, Any]] = {one["kind"]: one for one in built.objects()}
pod = objects["Deployment"]["spec"]["template"]["spec"]
match os.environ.get("MISTAKE"):
    case "image":
        pod["containers"][0]["image"] = "vllm/vllm-openai:latest"
    case "grace":
        pod["terminationGracePeriodSeconds"] = 5
    case "network":
        del objects["NetworkPolicy"]
    case "pool":
        pod["tolerations"].pop(1)
google = google_provider(gke)
cloud = CloudResources(built.plan.stack, endpoint_resources(built.plan, gke), google)
needs = list(cloud.made.values())
InferenceServer(built.plan, list(objects.values()), find_cluster("dev", gke, google), needs)
