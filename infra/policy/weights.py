"""Weights are read, not changed: shared volumes are read-only, and only what ends before serving holds a hub token."""

from __future__ import annotations

from collections.abc import Iterator

from infra.policy.subject import Rule, Subject, Violation

_OUTPUT = "output"  # the volume to which a Job writes its results
_SHARED = ("persistentVolumeClaim", "csi")
_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def _read_only(subject: Subject) -> Iterator[Violation]:
    for pod, engines in subject.serving:
        volumes = pod.spec.get("volumes") or []
        shared = {one.get("name") for one in volumes if any(one.get(kind) for kind in _SHARED)}
        if pod.owner.get("kind") == "Job":
            shared -= {_OUTPUT}
        for container in engines:
            for mount in container.body.get("volumeMounts") or []:
                if mount.get("name") in shared and mount.get("readOnly") is not True:
                    where = f"{container.path}.volumeMounts[{mount.get('name')}].readOnly"
                    yield pod.violation(where, "must be true: others serve from the same volume")


def _no_hub_token(subject: Subject) -> Iterator[Violation]:
    for pod, _ in subject.serving:
        for container in pod.containers:
            if container.starts_before_and_ends:
                continue
            for entry in container.body.get("env") or []:
                if entry.get("name") in _TOKENS and entry.get("valueFrom"):
                    where = f"{container.path}.env[{entry.get('name')}]"
                    yield pod.violation(where, "only what fetches weights needs it, and that ends before serving")


RULES = (
    Rule(
        "weights-read-only",
        "What serves mounts claims and CSI volumes only to read; a Job may write to the one named `output`.",
        "high",
        False,
        _read_only,
    ),
    Rule(
        "hub-token-apart",
        "No container that lasts holds a token of the model hub.",
        "high",
        False,
        _no_hub_token,
    ),
)
