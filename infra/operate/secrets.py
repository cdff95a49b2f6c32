"""What missing Secrets, and those that GKE cannot fill, mean for an endpoint. Pure: data in, findings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infra.operate.diagnosis import UNPLACED, Diagnosis, Finding, Object
from infra.plan.needed_secrets import NeededSecret

_WITHOUT = {
    "calls": "every call is answered with 401 until it holds a key",
    "starts": "no pod starts without it",
}


def lacking(found: Diagnosis, missing: Sequence[NeededSecret]) -> Diagnosis:
    """The same diagnosis of an endpoint that lacks Secrets.

    One that serves is `locked` without its keys; without another it serves on, until a pod has to start. One that does
    not gets as next step the command that makes what its pods wait for, unless they have no machine yet.
    """
    if not missing:
        return found
    findings = tuple(Finding(f"secret {one.name}", "Missing", _WITHOUT[one.use]) for one in missing)
    serves = found.state == "serving"
    locked = serves and any(one.use == "calls" for one in missing)
    use = "calls" if serves else "starts"
    step = next((_step(one) for one in missing if one.use == use), None)
    if found.next_step and any(one.reason in UNPLACED for one in found.findings):
        step = None
    return replace(
        found,
        state="locked" if locked else found.state,
        findings=(*found.findings, *findings),
        next_step=step or found.next_step,
    )


def _step(one: NeededSecret) -> str:
    return f"where Secret Manager has no such version: {one.command}" if one.synced else one.command


def unsynced(found: Diagnosis, syncs: Sequence[Object]) -> Diagnosis:
    """The same diagnosis with what GKE says of Secrets that it cannot fill from Secret Manager.

    A SecretSync has conditions such as `SecretCreated`, which are False with the reason where it fails
    (kubernetes-sigs/secrets-store-sync-controller, internal/controller).
    """
    said = tuple(
        Finding(f"secretsync {one['metadata']['name']}", condition.get("reason", ""), condition.get("message", ""))
        for one in syncs
        for condition in (one.get("status") or {}).get("conditions") or []
        if condition.get("status") == "False"
    )
    return replace(found, findings=(*found.findings, *said))
