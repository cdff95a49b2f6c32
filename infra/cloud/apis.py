"""Google's APIs that a platform needs, switched on before anything that asks them."""

from __future__ import annotations

from infra.cloud.resource import CloudResource
from infra.spec import Gke

SERVICE = "gcp:projects/service:Service"
# Those that switch on others, in their order. Source of the list: GoogleCloudPlatform/accelerated-platforms project.tf
# (9320f3b); iamcredentials: GKE documentation, "Authenticate from workloads".
_FIRST = ("serviceusage", "cloudresourcemanager")
_ALWAYS = (
    "compute",
    "iam",
    "certificatemanager",
    "container",
    "containerfilesystem",
    "dns",
    "iamcredentials",
    "logging",
    "monitoring",
    "networkservices",
    "secretmanager",
    "storage",
)


def apis(gke: Gke) -> tuple[str, ...]:
    """Their short names, in the order in which they are switched on."""
    more = [name for name, needed in (("artifactregistry", gke.registry), ("billingbudgets", gke.budget)) if needed]
    return (*_FIRST, *_ALWAYS, *more)


def api_name(platform: str, api: str) -> str:
    """Pulumi's name of an API's resource."""
    return f"{platform}-api-{api}"


def api_resources(platform: str, gke: Gke) -> tuple[CloudResource, ...]:
    """One resource for each; removing a stack leaves them on, as others of the project may need them."""
    made: list[CloudResource] = []
    for api in apis(gke):
        before = _FIRST[: _FIRST.index(api)] if api in _FIRST else _FIRST
        inputs = {"project": gke.project, "service": f"{api}.googleapis.com", "disableOnDestroy": False}
        after = tuple(api_name(platform, one) for one in before)
        made.append(CloudResource(SERVICE, api_name(platform, api), inputs, after=after))
    return tuple(made)
