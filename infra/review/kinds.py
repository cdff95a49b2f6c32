"""What each kind of danger means to somebody who knows nothing of engines and clusters, the gravest kind first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class DangerKind:
    """One kind.

    Attributes:
        title: in few words.
        meaning: what follows if it is approved, in plain words.
        check: what a reviewer asks for or looks at before approving.
        level: `error` where approving it is wrong until somebody has said why, else `warning`.
    """

    title: str
    meaning: str
    check: str
    level: Literal["error", "warning"]


DANGER_KINDS: dict[str, DangerKind] = {
    "refused": DangerKind(
        "Would be refused",
        "Nothing of this stack can be deployed after the change: what runs now stays as it is, and can no longer be "
        "changed from its file.",
        "Have the file corrected; `servestack validate` says when it is.",
        "error",
    ),
    "policy": DangerKind(
        "Breaks a safety rule",
        "The objects of this stack break a rule that every stack must keep, so the deployment is refused.",
        "Have the file corrected; docs/policies.md says why each rule is there.",
        "error",
    ),
    "authentication-off": DangerKind(
        "No key is asked for",
        "Whoever reaches the endpoint over the network can use the model, and its bill, without a key.",
        "Ask who can reach it, and whether the reason that the file gives is a good one.",
        "error",
    ),
    "network-widened": DangerKind(
        "More of the network can reach it",
        "Traffic that the cluster's firewall dropped before comes through after the change.",
        "Ask who is behind the new addresses or pods, and why they must reach it.",
        "error",
    ),
    "protection-off": DangerKind(
        "A protection goes",
        "A mistake that was stopped before, or told by mail, is no longer.",
        "Ask why it must go, and when it comes back.",
        "warning",
    ),
    "rights-widened": DangerKind(
        "More rights in the cloud project",
        "If the pods of this stack are broken into, more can be read or changed with their rights.",
        "Ask what the new right is needed for.",
        "warning",
    ),
    "cost": DangerKind(
        "Costs",
        "The bill rises from the day on which it is deployed, whether anybody calls it or not.",
        "Ask whether the team that pays knows the new sum.",
        "warning",
    ),
    "platform-deleted": DangerKind(
        "A platform is deleted",
        "The cluster is deleted, with every endpoint and all data on it.",
        "Ask whether anything still runs there.",
        "warning",
    ),
    "platform-remade": DangerKind(
        "A part of the platform is made anew",
        "What stands there now is deleted first, with what is on it: a cluster with its endpoints, a bucket, a subnet.",
        "Ask whether anything still runs there, and who has agreed to make it anew.",
        "warning",
    ),
    "downtime": DangerKind(
        "Answers stop for a while",
        "While the change is rolled out, callers get errors.",
        "Ask whether its users know when, or whether a second replica can stand in.",
        "warning",
    ),
    "moving-image": DangerKind(
        "A program that can change unseen",
        "A tag such as `latest` names whatever its publisher puts there: tomorrow's pods can run another program than "
        "the one that was tested.",
        "Ask for the digest (`@sha256:...`), which names one program for good.",
        "warning",
    ),
    "other-image": DangerKind(
        "A program of another publisher",
        "Who publishes the image decides what runs beside the model and its callers' texts.",
        "Ask who the publisher is, and why it is trusted.",
        "warning",
    ),
    "revision-changed": DangerKind(
        "Other weights",
        "The files of the model are others than those that were tested: answers can differ, and nobody here has read "
        "them.",
        "Ask where the new revision comes from, and whether answers were compared.",
        "warning",
    ),
    "capacity-risk": DangerKind(
        "Machines are likelier to be missing",
        "It can happen more often that the cloud has no machine for it, or takes one away while it serves.",
        "Ask whether its users can live with that.",
        "warning",
    ),
}
