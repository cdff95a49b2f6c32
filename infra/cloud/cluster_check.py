"""What is wrong with a cluster that is there: for its platform's file, and for an endpoint on it."""

from __future__ import annotations

from dataclasses import dataclass

from infra.cloud.cluster_facts import ClusterFacts, older
from infra.plan.job import JobPlan
from infra.plan.job.needs import job_needs
from infra.plan.lacking import caller_needs, minimum_version, needs
from infra.plan.serving_plan import ServingPlan
from infra.spec import Gke


@dataclass(frozen=True)
class Finding:
    """One thing that a cluster lacks.

    Attributes:
        subject: a word of `cluster.lacks`, or `mode` or `version`.
        missing: what is not as it should be.
        matters: who needs it, and what fails.
        command: what switches it on; "" where nothing does.
        blocks: nothing can be deployed like that.
    """

    subject: str
    missing: str
    matters: str
    command: str
    blocks: bool = False

    def __str__(self) -> str:
        return f"{self.missing}: {self.matters}." + (f" Next: {self.command}" if self.command else "")


# By feature: what is not there, who needs it, the flags that switch it on (gcloud reference, clusters update).
_FEATURES = {
    "gateway-api": ("the Gateway API is off", "expose.gateway needs it", "--gateway-api=standard"),
    "gcs-fuse": (
        "the Cloud Storage FUSE driver is off",
        "weights: {source: gcs} needs it",
        "--update-addons GcsFuseCsiDriver=ENABLED",
    ),
    "managed-prometheus": (
        "managed Prometheus is off",
        "metrics and alerts need it, unless the platform's file says another monitoring",
        "--enable-managed-prometheus",
    ),
    "network-policy": (
        "network policies are not enforced",
        "every endpoint is closed by one, and open to the whole network without; Dataplane V2 cannot be switched on "
        "later, Calico can",
        "--update-addons NetworkPolicy=ENABLED, then --enable-network-policy",
    ),
    "secret-manager": (
        "the Secret Manager add-on is off",
        "Secrets that endpoints take from Secret Manager need it",
        "--enable-secret-manager",
    ),
    "secret-sync": (
        "Secret Manager's synchronisation is off",
        "keys that are read as Kubernetes Secrets from Secret Manager need it",
        "--enable-secret-sync",
    ),
    "shielded-nodes": ("shielded nodes are off", "node pools of endpoints ask for it", "--enable-shielded-nodes"),
    "workload-identity": (
        "Workload Identity is off",
        "node pools of endpoints are made with it (GKE_METADATA), and are refused without; weights: {source: gcs} "
        "reads its bucket by it",
        "--workload-pool={project}.svc.id.goog",
    ),
}
_BLOCKING = {"workload-identity"}
_BETA = {"secret-sync"}  # gcloud has the flag in its beta group


def missing(facts: ClusterFacts, gke: Gke) -> tuple[Finding, ...]:
    """What an adopted cluster lacks that its platform's file does not say, and what contradicts the file."""
    found = []
    mode = "autopilot" if facts.autopilot else "standard"
    if mode != gke.cluster.mode:
        matters = f"pools and objects are made for a {gke.cluster.mode} cluster, and this one refuses them"
        step = f"write cluster.mode: {mode} in the platform's file"
        found.append(Finding("mode", f"the cluster is {mode}", matters, step, blocks=True))
    for feature in facts.lacks:
        blocks = feature in _BLOCKING
        if blocks or feature not in gke.cluster.lacks:
            found.append(_finding(feature, gke, blocks=blocks))
    has = [feature for feature in gke.cluster.lacks if feature in facts.features]
    if has:
        what = f"the cluster has {', '.join(has)}, and cluster.lacks says it has not"
        found.append(Finding("lacks", what, "endpoints that need it are refused", f"write {lacks_line(facts)}"))
    return tuple(found)


def missing_for(facts: ClusterFacts, gke: Gke, plan: ServingPlan) -> tuple[Finding, ...]:
    """What one endpoint needs and its cluster does not have; all of it keeps the endpoint from working."""
    needed = dict.fromkeys(need.feature for need in needs(plan))
    found = [_finding(feature, gke, blocks=True) for feature in needed if feature not in facts.features]
    least = minimum_version(plan)
    if least and older(facts.version, least[0]):
        what = f"the cluster runs GKE {facts.version}, older than {least[0]}"
        upgrade = f"gcloud container clusters upgrade {gke.cluster.name} --master --cluster-version VERSION"
        command = f"{upgrade} {gke.gcloud_flags}"
        found.append(Finding("version", what, least[1], command, blocks=True))
    return tuple(found)


def missing_for_job(facts: ClusterFacts, gke: Gke, plan: JobPlan) -> tuple[Finding, ...]:
    """What one job needs and its cluster does not have."""
    needed = dict.fromkeys(need.feature for need in job_needs(plan))
    return tuple(_finding(feature, gke, blocks=True) for feature in needed if feature not in facts.features)


def missing_for_callers(facts: ClusterFacts, gke: Gke, *, key: bool) -> tuple[Finding, ...]:
    """What the callers of a managed endpoint need and the cluster does not have.

    Args:
        facts: of the cluster.
        gke: the platform.
        key: whether they call with a key of Secret Manager.
    """
    needed = dict.fromkeys(need.feature for need in caller_needs(key))
    return tuple(_finding(feature, gke, blocks=True) for feature in needed if feature not in facts.features)


def lacks_line(facts: ClusterFacts) -> str:
    """The line of the platform's file that says what the cluster lacks."""
    return f"lacks: [{', '.join(facts.lacks)}]"


def _finding(feature: str, gke: Gke, *, blocks: bool) -> Finding:
    what, matters, flags = _FEATURES[feature]
    flags = flags.format(project=gke.project)
    gcloud = "gcloud beta" if feature in _BETA else "gcloud"
    command = f"{gcloud} container clusters update {gke.cluster.name} {gke.gcloud_flags} {flags}"
    return Finding(feature, what, matters, command, blocks)
