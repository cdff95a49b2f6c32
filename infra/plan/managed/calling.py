"""As whom callers of a managed endpoint come: a Google account of the stack, and on a cluster pods that act as it."""

from __future__ import annotations

import hashlib

from infra.plan.identity import READS_SECRET, Grant
from infra.plan.lacking import caller_needs, refuse_needs
from infra.plan.managed.managed_plan import CallerPods, Calling
from infra.plan.refusal import RefusedError
from infra.plan.synced_secrets import OPAQUE, SyncedKey, SyncedSecret
from infra.spec import EndpointSpec, PlatformSpec

CALLS_VERTEX = "roles/aiplatform.user"  # Google Cloud documentation: Vertex AI access control, and the page of the MaaS
KEY_NAME = "OPENAI_API_KEY"
_LONGEST_ACCOUNT = 30  # Google: an account's id has 6 to 30 characters
_LONGEST_KEY = 63  # API Keys API: Key.name is a lower-case RFC 1034 label


def calling(stack: str, spec: EndpointSpec, platform: PlatformSpec) -> Calling:
    """Account, role, key and pods of one endpoint.

    Raises:
        RefusedError: callers are pods, and the platform has no cluster.
    """
    assert platform.cloud is not None
    project, _ = platform.cloud
    if spec.callers and platform.gke is None:
        raise RefusedError(
            ("callers",),
            "callers are pods of a GKE cluster, and the platform has none; leave it out, or name one with gke.",
        )
    own = (CallerPods(stack, stack),) if platform.gke else ()
    named = tuple(CallerPods(one.namespace, one.serviceAccount) for one in spec.callers)
    if set(own) & set(named):
        raise RefusedError(("callers",), f"{stack}/{stack} is made by this stack and may call anyway; leave it out.")
    account = account_id(stack)
    gemini = spec.service == "gemini"
    if platform.gke:
        refuse_needs(caller_needs(key=gemini), spec.platform, platform)
    return Calling(
        account_id=account,
        email=f"{account}@{project}.iam.gserviceaccount.com",
        role="" if gemini else CALLS_VERTEX,
        namespace=stack if platform.gke else "",
        callers=(*own, *named),
        key_id=stack[:_LONGEST_KEY] if gemini else "",
        key_secret=f"{stack}-key" if gemini else "",
    )


def account_id(stack: str) -> str:
    """Id of the stack's Google account; a hash of the whole keeps those apart that are cut."""
    full = f"{stack}-caller"
    if len(full) <= _LONGEST_ACCOUNT:
        return full
    return f"{full[: _LONGEST_ACCOUNT - 7].rstrip('-')}-{hashlib.sha256(full.encode()).hexdigest()[:6]}"


def key_in_cluster(stack: str, known: Calling, project: str) -> tuple[SyncedSecret, ...]:
    """The Secret of the callers' namespace that GKE fills with the key; nothing without key or cluster."""
    if not (known.key_secret and known.namespace):
        return ()
    key = SyncedKey(KEY_NAME, project, known.key_secret, "latest", "")
    return (SyncedSecret(f"{stack}-key", OPAQUE, "", (key,)),)


def key_grants(known: Calling, project: str) -> tuple[Grant, ...]:
    """What the callers' pods may read; nothing without key or cluster."""
    if not (known.key_secret and known.namespace):
        return ()
    return (Grant(READS_SECRET, "secret", known.key_secret, project),)
