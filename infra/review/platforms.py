"""Dangers of a platform's change: protection that goes, and parts that are made anew with all that is on them."""

from __future__ import annotations

from collections.abc import Iterator

from infra.cloud.platform_changes import remade
from infra.document import Path
from infra.pipeline import Platform
from infra.review.facts import fields
from infra.review.version import Version
from infra.spec import Gke


def platform_dangers(before: Version | None, after: Version) -> Iterator[tuple[str, str, Path]]:
    """Kind, sentence and field of each."""
    was, built = before.built if before else None, after.built
    if not isinstance(was, Platform) or not isinstance(built, Platform):
        return
    old, new = fields(was.spec), fields(built.spec)
    changed = [name for name in old if old[name] != new.get(name)]  # what is new makes nothing anew
    if was.spec.kubernetes and "kubernetes.context" in changed:
        said = "another cluster: endpoints are made there, and those on the old one are left as they are or deleted"
        yield "platform-remade", said, ("kubernetes", "context")
    if was.spec.requireLock and not built.spec.requireLock:
        said = "requireLock is switched off: images and weights that can move unseen are no longer refused"
        yield "protection-off", said, ("requireLock",)
    if was.spec.gke is None or built.spec.gke is None:
        return
    yield from _protection(was.spec.gke, built.spec.gke)
    for part in remade(was.spec.gke):
        reasons = [name for name in changed if any(_below(name, f"gke.{field}") for field in part.fields)]
        if reasons:
            yield "platform-remade", f"{part.part}: {part.means} ({', '.join(reasons)})", tuple(reasons[0].split("."))


def _below(name: str, field: str) -> bool:
    return name == field or name.startswith(f"{field}.")


def _protection(old: Gke, new: Gke) -> Iterator[tuple[str, str, Path]]:
    kind = "protection-off"
    if old.deletionProtection and not new.deletionProtection:
        said = "deletionProtection is switched off: the cluster can be deleted with all that runs on it"
        yield kind, said, ("gke", "deletionProtection")
    if old.budget is not None and new.budget is None:
        yield kind, "the project's budget alert is removed", ("gke",)
    more = [one for one in new.authorizedNetworks if one not in old.authorizedNetworks]
    if old.authorizedNetworks and (more or not new.authorizedNetworks):
        said = f"the cluster's API is open to more addresses: {', '.join(more) or 'authorizedNetworks is gone'}"
        yield kind, said, ("gke", "authorizedNetworks")
