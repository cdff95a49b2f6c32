"""What containers are made of: pinned images, sized, and no secret in any value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.policy.subject import Object, Pod, Rule, Subject, Violation, violation

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_MOVING = re.compile(r"(^|[-.])(latest|nightly|main|master)($|[-.])")
_UNITS = {
    "": 1,
    "m": 0.001,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}
# Forms in which providers give out keys; a text with one of them is a secret wherever it stands.
_FORMS = re.compile(
    r"\b(hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|nvapi-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,}|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|github_pat_[A-Za-z0-9_]{20,}|AKIA[A-Z0-9]{16}|xox[abprs]-[A-Za-z0-9-]{10,}|ya29\.[A-Za-z0-9_-]{20,}"
    r"|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,})|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/\s:@]+:[^/\s:@{$]+@"
    r"|\"auths\"\s*:"
)
# As `openssl rand -hex 32` writes a key. Checksums are as long, and stand in annotations.
_RANDOM = re.compile(r"(Bearer )?[0-9a-f]{64}\s*")
_CHECKSUM = re.compile(r"annotations\.servestack\.dev/[a-z]+-config$")
_SECRET_NAME = re.compile(
    r"(^|[-_.]|(?<=[a-z])(?=[A-Z]))(api[-_]?key|key|token|password|passwd|passphrase|secret)$", re.I
)
_FLAG = re.compile(r"(--?[A-Za-z][\w.-]*)(?:=(.*))?$", re.S)
_REFERENCE = re.compile(r"^(\$\([A-Za-z_]\w*\)|\$\{?[A-Za-z_]\w*\}?|)$")


def _image_pinned(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        for one in pod.containers:
            image = str(one.body.get("image") or "")
            if _DIGEST.search(image):
                continue
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@" in image:
                yield pod.violation(f"{one.path}.image", "has a digest that is none of sha256")
            elif not tag:
                yield pod.violation(f"{one.path}.image", "has no tag; name a version or a digest")
            elif _MOVING.search(tag):
                yield pod.violation(f"{one.path}.image", f"tag {tag} moves; name a version or a digest")


def _sized(subject: Subject) -> Iterator[Violation]:
    for pod in subject.pods:
        for one in pod.containers:
            if one.group == "ephemeralContainers":
                continue
            requests, limits, path = one.amounts("requests"), one.amounts("limits"), f"{one.path}.resources"
            wanted = (("requests", requests, ("cpu", "memory")), ("limits", limits, ("memory",)))
            for which, amounts, names in wanted:
                for name in names:
                    if not _amount(amounts.get(name)):
                        yield pod.violation(f"{path}.{which}.{name}", "must be set")
            for name in sorted(requests.keys() & limits.keys()):
                if _amount(requests[name]) > _amount(limits[name]):
                    yield pod.violation(f"{path}.requests.{name}", "is more than its limit")
            yield from _extended(pod, path, requests, limits)


def _extended(pod: Pod, path: str, requests: Object, limits: Object) -> Iterator[Violation]:
    """Devices cannot be shared: the API server wants request and limit equal."""
    for name in sorted({one for one in (*requests, *limits) if "/" in one}):
        if _amount(requests.get(name)) != _amount(limits.get(name)):
            yield pod.violation(f"{path}.limits.{name}", "must be set, and equal the request")


def _amount(quantity: Any) -> float:
    """A Kubernetes quantity as a number; 0 for what is none."""
    found = re.fullmatch(r"([0-9.]+)(m|k|M|G|T|Ki|Mi|Gi|Ti|)", str(quantity))
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _no_secret(subject: Subject) -> Iterator[Violation]:
    for one in subject.objects:
        if one.get("kind") == "Secret" and (one.get("data") or one.get("stringData")):
            field = "data" if one.get("data") else "stringData"
            yield violation(one, field, "holds secret values; refer to a Secret that is made elsewhere")
            continue
        for field, text in _texts(one, ""):
            if _FORMS.search(text) or (_RANDOM.fullmatch(text) and not _CHECKSUM.search(field)):
                yield violation(one, field, "looks like a secret; refer to a Secret")
        if one.get("kind") == "ConfigMap":
            for name, value in (one.get("data") or {}).items():
                if _SECRET_NAME.search(str(name)) and not _REFERENCE.match(str(value)):
                    yield violation(one, f"data.{name}", "is a secret by its name; refer to a Secret")
    for pod in subject.pods:
        for container in pod.containers:
            for entry in container.body.get("env") or []:
                name, value = str(entry.get("name")), str(entry.get("value") or "")
                if _SECRET_NAME.search(name) and not _REFERENCE.match(value):
                    yield pod.violation(f"{container.path}.env[{name}]", "has a value; use valueFrom.secretKeyRef")
            for which in ("command", "args"):
                words = [str(word) for word in container.body.get(which) or []]
                for flag in _secret_flags(words):
                    yield pod.violation(f"{container.path}.{which}[{flag}]", "has a value; use $(NAME) from a Secret")


def _secret_flags(words: list[str]) -> Iterator[str]:
    """Options that are secrets by their names and have a value that is no reference."""
    for index, word in enumerate(words):
        found = _FLAG.match(word)
        if found and _SECRET_NAME.search(found[1]):
            following = words[index + 1] if index + 1 < len(words) else ""
            value = found[2] if found[2] is not None else "" if following.startswith("-") else following
            if not _REFERENCE.match(value):
                yield found[1]


def _texts(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Every text in an object, with its path as in a violation: inside a pod, from its `spec` on."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, item in node.items():
            if isinstance(item, str | dict | list):
                inner = "" if key == "spec" and isinstance(item, dict) and "containers" in item else f"{path}.{key}"
                yield from _texts(item, inner.lstrip("."))
    elif isinstance(node, list):
        for index, item in enumerate(node):
            if isinstance(item, str | dict | list):
                name = item.get("name", index) if isinstance(item, dict) else index
                yield from _texts(item, f"{path}[{name}]")


RULES = (
    Rule(
        "image-pinned",
        "Every image has a digest or a tag that names a version; never `latest`.",
        "high",
        False,
        _image_pinned,
    ),
    Rule(
        "sized",
        "Every container requests CPU and memory, has a memory limit, and asks for devices in equal request and limit.",
        "high",
        False,
        _sized,
    ),
    Rule(
        "no-secret-value",
        "No object holds a secret's value; a Secret is referred to by name.",
        "critical",
        False,
        _no_secret,
    ),
)
