"""What an endpoint's own service account may do in Google Cloud: read its weights and its secrets, and nothing else.

A grant is to the Kubernetes service account itself (Workload Identity Federation for GKE), so there is no key and no
Google account between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from infra.plan.synced_secrets import SyncedSecret
from infra.plan.weights_source import WeightsChoice
from infra.spec import Gke

READS_BUCKET, READS_SECRET = "roles/storage.objectViewer", "roles/secretmanager.secretAccessor"
# Cloud Storage FUSE: what a volume that is written needs (GKE documentation, cloud-storage-fuse-csi-driver-setup).
WRITES_BUCKET = "roles/storage.objectUser"
ACTS_AS = "roles/iam.workloadIdentityUser"
_Row = tuple[str, object, object, str, str]


@dataclass(frozen=True)
class Grant:
    """One role on one thing.

    Attributes:
        on: `bucket` or `secret`.
        name: of it; buckets have the names of the whole world.
        project: that has the secret; empty for a bucket.
    """

    role: str
    on: Literal["bucket", "secret"]
    name: str
    project: str = ""

    @property
    def thing(self) -> str:
        """What the role is on."""
        return f"gs://{self.name}" if self.on == "bucket" else f"projects/{self.project}/secrets/{self.name}"


def grants(weights: WeightsChoice, synced: tuple[SyncedSecret, ...], gke: Gke | None) -> tuple[Grant, ...]:
    """What the stack grants to the endpoint's service account, each once.

    A bucket that is read as another Google account (`weights.serviceAccount`) is that account's business. That the
    endpoint may act as it is not granted either: whoever writes a stack file could then take any account's rights.
    """
    if gke is None:
        return ()
    bucket = weights.bucket if not weights.service_account else ""
    found = [Grant(READS_BUCKET, "bucket", bucket)] if bucket else []
    for one in (key for secret in synced for key in secret.keys):
        found.append(Grant(READS_SECRET, "secret", one.secret, one.project))
    return tuple(dict.fromkeys(found))


def principal(project: str, project_number: str, namespace: str, account: str) -> str:
    """The service account as IAM names it (GKE documentation, "About Workload Identity Federation for GKE").

    Every cluster of one project has the same pool: equal namespaces and names are one identity.
    """
    pool = f"projects/{project_number}/locations/global/workloadIdentityPools/{project}.svc.id.goog"
    return f"principal://iam.googleapis.com/{pool}/subject/ns/{namespace}/sa/{account}"


def rights_text(stack: str, granted: tuple[Grant, ...]) -> str:
    """All that an endpoint may do in Google Cloud, in a sentence."""
    things = ", ".join(one.thing for one in granted)
    return f"in Google Cloud, service account {stack} reads {things}, and nothing else"


def acts_as_command(stack: str, account: str, project: str) -> str:
    """Command with which the owner of a Google account lets the endpoint act as it."""
    member = f"serviceAccount:{project}.svc.id.goog[{stack}/{stack}]"
    return f"gcloud iam service-accounts add-iam-policy-binding {account} --role={ACTS_AS} --member='{member}'"


def identity_cautions(weights: WeightsChoice, gke: Gke | None) -> tuple[str, ...]:
    """What the stack does not grant."""
    if not weights.service_account or gke is None:
        return ()
    return (
        f"{weights.service_account} must be allowed to read gs://{weights.bucket}, and its owner let the endpoint act "
        "as it (--explain has the command): the stack grants neither",
    )


def identity_rows(stack: str, weights: WeightsChoice, granted: tuple[Grant, ...], gke: Gke | None) -> list[_Row]:
    """Decisions: field, value, what was asked, origin and reason; one for every grant."""
    rows: list[_Row] = []
    for one in granted:
        why = f"service account {stack} of namespace {stack} reads {one.thing}; it has no other right"
        rows.append(("grants", f"{one.role} on {one.thing}", None, "derived", why))
    if weights.service_account and gke is not None:
        command = acts_as_command(stack, weights.service_account, gke.project)
        why = f"not granted by the stack: whoever owns the account lets the endpoint act as it: {command}"
        rows.append(("weights.serviceAccount", weights.service_account, None, "stack", why))
    return rows
