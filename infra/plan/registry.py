"""From where images are pulled: through repositories that a created platform has, so that they stay near and there."""

from __future__ import annotations

import dataclasses

from infra.plan.platform_names import repository_id
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke

DOCKER_HUB = "docker.io"
# Registries whose public images a platform's repositories fetch and keep, and what such a repository is called.
UPSTREAMS = {DOCKER_HUB: "docker-hub", "ghcr.io": "ghcr", "nvcr.io": "nvcr"}
# Images that no one gets without a key: a repository would need the key itself, and would then hand them to every pod.
KEYED = ("nvcr.io/nim/",)


def pulled_from(reference: str, gke: Gke | None) -> str:
    """The reference by which pods pull an image: that of the platform's repository where it has one for its registry.

    Tag and digest stay as they are: a repository hands on the same image.

    >>> pulled_from("caddy:2", None)
    'caddy:2'
    """
    if gke is None or not gke.own_registry or not reference or reference.startswith(KEYED):
        return reference
    host, path = parts_of(reference)
    if host not in UPSTREAMS:
        return reference
    return f"{gke.region}-docker.pkg.dev/{gke.project}/{repository_id(gke, UPSTREAMS[host])}/{path}"


def through_registry(plan: ServingPlan, gke: Gke | None) -> ServingPlan:
    """The plan with every image beside the engine's as the platform's pods pull it."""
    picker = plan.exposure.picker_image
    return dataclasses.replace(
        plan,
        access=dataclasses.replace(plan.access, proxy_image=pulled_from(plan.access.proxy_image, gke)),
        exposure=dataclasses.replace(plan.exposure, picker_image=pulled_from(picker, gke) if picker else picker),
    )


def way(image: str) -> str:
    """How an image comes, for a reason; nothing to say where it comes from its own registry."""
    return ", pulled through the platform's repository" if "-docker.pkg.dev/" in image else ""


def parts_of(reference: str) -> tuple[str, str]:
    """Registry and path as Docker reads them: without a registry Docker Hub, without an owner there its library."""
    first, _, rest = reference.partition("/")
    if rest and ("." in first or ":" in first or first == "localhost"):
        return (DOCKER_HUB, _official(rest)) if first in {DOCKER_HUB, "index.docker.io"} else (first, rest)
    return DOCKER_HUB, _official(reference)


def _official(path: str) -> str:
    return path if "/" in path else f"library/{path}"
