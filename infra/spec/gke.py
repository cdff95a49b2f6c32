"""`gke`: a platform on Google Kubernetes Engine."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from infra.spec.fields import ClusterName, Ipv4Range, Strict
from infra.spec.network import Network
from infra.spec.ranges import overlaps, proxy_only
from infra.spec.weights import Bucket, ServiceAccountEmail

Lack = Literal[
    "gateway-api",
    "gcs-fuse",
    "managed-prometheus",
    "network-policy",
    "secret-manager",
    "secret-sync",
    "shielded-nodes",
    "workload-identity",
]
LACKS: tuple[str, ...] = get_args(Lack)
# What only a cluster that the stack makes has; of an adopted one it is as it is.
_OF_CREATED = ("network", "authorizedNetworks", "bucket", "budget", "registry")


def _distinct(words: list[str]) -> list[str]:
    twice = next((word for index, word in enumerate(words) if word in words[:index]), None)
    if twice:
        raise ValueError(f"{twice} stands twice.")
    return words


class Cluster(Strict):
    """GKE cluster of a platform: made by its stack, or adopted as it is.

    Attributes:
        lacks: of an adopted one, what `servestack check` found missing.
    """

    name: ClusterName
    create: bool = True
    mode: Literal["autopilot", "standard"] = "standard"
    lacks: Annotated[list[Lack], AfterValidator(_distinct)] = []

    @model_validator(mode="after")
    def _lacks_of_an_adopted_one(self) -> Cluster:
        if self.create and self.lacks:
            raise ValueError("lacks says what an adopted cluster has not; one that this stack makes has all of it.")
        always = sorted({"shielded-nodes", "workload-identity"} & set(self.lacks))
        if self.mode == "autopilot" and always:
            raise ValueError(f"an Autopilot cluster always has {' and '.join(always)}; take it off lacks.")
        return self


class WeightsBucket(Strict):
    """Bucket for weights that a created platform makes."""

    name: Bucket


class Budget(Strict):
    """Budget of the platform's project."""

    billingAccount: Annotated[str, StringConstraints(pattern=r"^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$")]
    usdPerMonth: Annotated[int, Field(ge=1, le=10_000_000)]
    emails: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._+-]{1,64}@([a-z0-9-]{1,63}\.){1,5}[a-z]{2,24}$")]],
        Field(max_length=5),  # Google: a budget has at most 5 notification channels
        AfterValidator(_distinct),
    ] = []
    covers: Literal["platform", "project"] = "project"


class Gke(Strict):
    """A GKE platform."""

    project: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$")]
    location: Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}(-[a-z])?$")]
    zones: list[Annotated[str, StringConstraints(pattern=r"^[a-z]+-[a-z]+[0-9]{1,2}-[a-z]$")]] = []
    cluster: Cluster
    network: Network = Network()
    proxyOnlySubnet: Annotated[Ipv4Range, AfterValidator(proxy_only)] | None = None
    controlPlane: Ipv4Range | None = None
    authorizedNetworks: Annotated[list[Ipv4Range], Field(max_length=50), AfterValidator(_distinct)] = []
    releaseChannel: Literal["RAPID", "REGULAR", "STABLE"] = "REGULAR"
    nodeServiceAccount: ServiceAccountEmail | None = None
    registry: bool = True
    bucket: WeightsBucket | None = None
    budget: Budget | None = None
    deletionProtection: bool = True

    @property
    def region(self) -> str:
        """Region of the location, where all that is regional is made."""
        return "-".join(self.location.split("-")[:2])

    @property
    def context(self) -> str:
        """Name that gcloud gives the cluster's context in a kubeconfig."""
        return f"gke_{self.project}_{self.location}_{self.cluster.name}"

    @property
    def gcloud_flags(self) -> str:
        """Where the cluster is, for a gcloud command."""
        return f"--location {self.location} --project {self.project}"

    @property
    def own_registry(self) -> bool:
        """Whether images are pulled through repositories that the platform makes."""
        return self.cluster.create and self.registry

    @model_validator(mode="after")
    def _zones_in_region(self) -> Gke:
        outside = [zone for zone in self.zones if not zone.startswith(f"{self.region}-")]
        if outside:
            raise ValueError(f"zones {', '.join(outside)} are outside the location's region {self.region}.")
        return self

    @model_validator(mode="after")
    def _autopilot_is_regional(self) -> Gke:
        if self.cluster.mode != "autopilot":
            return self
        if self.location != self.region:
            raise ValueError(
                f"an Autopilot cluster is regional, and {self.location} is a zone; write location: {self.region}."
            )
        if "maxPodsPerNode" in self.network.model_fields_set:
            raise ValueError("network.maxPodsPerNode is Autopilot's own to choose; leave it out.")
        return self

    @model_validator(mode="after")
    def _adopted_as_it_is(self) -> Gke:
        said = [name for name in _OF_CREATED if name in self.model_fields_set]
        if not self.cluster.create and said:
            raise ValueError(
                f"{' and '.join(said)}: only where this stack makes the cluster; an adopted one is as it is. Leave it "
                "out, or write cluster.create: true."
            )
        return self

    @model_validator(mode="after")
    def _ranges_apart(self) -> Gke:
        if not self.cluster.create:
            return self
        named = {"proxyOnlySubnet": self.proxyOnlySubnet, "controlPlane": self.controlPlane}
        ranges = {f"network.{name}": text for name, text in self.network.ranges.items()}
        ranges |= {name: text for name, text in named.items() if text}
        for one, other in overlaps(ranges):
            raise ValueError(f"{one} ({ranges[one]}) and {other} ({ranges[other]}) overlap; each has its own range.")
        if self.controlPlane and not self.controlPlane.endswith("/28"):
            raise ValueError(
                f"controlPlane: the range of a control plane that is made is a /28, not {self.controlPlane}."
            )
        return self
