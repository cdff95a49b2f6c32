"""What an endpoint needs of its cluster, and its refusal where the platform's file says that it is not there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import ServingPlan
from infra.plan.watching import MANAGED
from infra.spec import PlatformSpec

SYSTEM_NODES = 3  # at most, of the pool for the cluster's own pods
INFERENCE_POOL_VERSION = "1.34.0-gke.1626000"  # GKE installs the kind InferencePool from there


@dataclass(frozen=True)
class Need:
    """A feature of the cluster that an endpoint needs.

    Attributes:
        feature: a word of `cluster.lacks`.
        field: of the stack file, by which it is needed.
        because: what would fail without it.
        instead: what the endpoint can do without it; "" where there is nothing.
    """

    feature: str
    field: tuple[str, ...]
    because: str
    instead: str = ""


def needs(plan: ServingPlan) -> tuple[Need, ...]:
    """All that a planned endpoint needs of a GKE cluster."""
    found = []
    if plan.weights.bucket:
        hub = "write weights: {source: hugging-face}"
        found.append(Need("workload-identity", ("weights", "source"), "pods read the bucket as themselves", hub))
        found.append(Need("gcs-fuse", ("weights", "source"), "the bucket is mounted by Cloud Storage FUSE", hub))
    for secret in plan.synced_secrets:
        named = "name a Secret of the namespace, and make it by kubectl"
        for feature, because in (
            ("secret-manager", "its add-on reads Secret Manager"),
            ("secret-sync", "GKE writes what it reads into a Secret"),
            ("workload-identity", "GKE reads it as the endpoint"),
        ):
            found.append(Need(feature, tuple(secret.field.split(".")), because, named))
    if plan.exposure.gateway:
        inside = "leave expose.gateway out, and the endpoint is called inside the cluster"
        found.append(Need("gateway-api", ("expose", "gateway"), "its gateway and route are of that API", inside))
    if plan.watch.kind == MANAGED:
        other = "write monitoring: none, or prometheus-operator, in the platform's file"
        found.append(Need("managed-prometheus", ("platform",), "its metrics and alerts are objects of it", other))
    if plan.node_pools.kind == "pools":
        because = "node pools of endpoints are made with it (GKE_METADATA), and GKE refuses them"
        found.append(Need("workload-identity", ("platform",), because, "name another platform"))
    return tuple(found)


def caller_needs(key: bool) -> tuple[Need, ...]:
    """All that the pods of a managed endpoint's callers need of a GKE cluster.

    Args:
        key: whether they call with a key of Secret Manager; else they act as a Google account.
    """
    elsewhere = "name a platform with google, and give the callers' account to pods yourself"
    tokens = Need("workload-identity", ("platform",), "pods act as the account that may call", elsewhere)
    if not key:
        return (tokens,)
    return (
        Need("secret-manager", ("platform",), "its add-on reads the key", elsewhere),
        Need("secret-sync", ("platform",), "GKE writes the key into a Secret", elsewhere),
        Need("workload-identity", ("platform",), "GKE reads the key as the callers", elsewhere),
    )


def lacking_cautions(platform: PlatformSpec) -> tuple[str, ...]:
    """What the platform's file says is not there, with which an endpoint is made and is not what it seems."""
    if platform.gke is None or "network-policy" not in platform.gke.cluster.lacks:
        return ()
    return (
        "the cluster enforces no network policies (cluster.lacks), so the endpoint is not closed by its own: whatever "
        "reaches its pods is held off by the key alone",
    )


def minimum_version(plan: ServingPlan) -> tuple[str, str] | None:
    """Oldest GKE version for an endpoint, and why; None where none is known."""
    if plan.exposure.routing == "inference-pool":
        return INFERENCE_POOL_VERSION, "it brings the kind InferencePool, which expose.routing asks for"
    return None


def refuse_lacking(plan: ServingPlan, platform: PlatformSpec) -> None:
    """Refuse an endpoint that needs what its platform's file says the cluster lacks, or more nodes than have addresses.

    Raises:
        RefusedError: at the first field by which something is needed.
    """
    _refuse_crowding(plan, platform)
    refuse_needs(needs(plan), plan.platform, platform)


def refuse_needs(needed: Iterable[Need], name: str, platform: PlatformSpec) -> None:
    """Refuse the first of those that the platform's file says its cluster lacks.

    Raises:
        RefusedError: at the field by which it is needed.
    """
    lacks = set(platform.gke.cluster.lacks) if platform.gke else set()
    for need in needed:
        if need.feature in lacks:
            raise RefusedError(
                need.field,
                f"platform {name} lacks {need.feature}, and {need.because}. Switch it on "
                f"(`servestack check {name}` prints the command) and take it off cluster.lacks, or {need.instead}.",
            )


def _refuse_crowding(plan: ServingPlan, platform: PlatformSpec) -> None:
    gke = platform.gke
    if gke is None or not gke.cluster.create or not gke.network.create:
        return
    wanted, most = plan.machines + SYSTEM_NODES, gke.network.maxNodes
    if wanted > most:
        raise RefusedError(
            ("replicas",),
            f"{plan.machines} machines and {SYSTEM_NODES} of the cluster's own are {wanted} nodes, and the ranges of "
            f"platform {plan.platform} are sized for {most}. Ask for fewer, or raise network.maxNodes in its file.",
        )
