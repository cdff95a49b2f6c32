"""A plan with what the lock file fixes: commits for branches of the hub, digests for tags of images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from infra.lock import LOCK_FILE, Lock, Use, image_uses, repository_uses
from infra.plan.serving_plan import Decision, ServingPlan
from infra.plan.weights_source import WeightsChoice


def moving_repositories(choice: WeightsChoice) -> tuple[str, ...]:
    """Repositories that are fetched at a branch."""
    return tuple(one.repository for one in choice.downloads if not one.pinned)


def at_commits(choice: WeightsChoice, lock: Lock) -> WeightsChoice:
    """The weights at the commits that are locked for what is fetched at a branch."""
    if not choice.downloads:
        return choice
    downloads = tuple(
        one if one.pinned else dataclasses.replace(one, revision=lock.repositories.get(one.repository, one.revision))
        for one in choice.downloads
    )
    return dataclasses.replace(choice, downloads=downloads, revision=downloads[0].revision)


def plan_uses(
    reference: str, plan: ServingPlan, repositories: Iterable[str], lock: Lock, *, in_cluster: bool
) -> tuple[Use, ...]:
    """All that moves of an endpoint, whether the lock fixes it or not.

    Args:
        reference: of the engine's image, as its own registry has it.
        plan: whose other images are still as their own registries have them.
        repositories: those that are fetched at a branch.
        lock: what fixes them.
        in_cluster: whether containers run at all.
    """
    images = (reference, plan.access.proxy_image, plan.exposure.picker_image) if in_cluster else ()
    return (*image_uses((one or "" for one in images), lock), *repository_uses(repositories, lock))


def with_digests(plan: ServingPlan, lock: Lock) -> ServingPlan:
    """The plan with the digests of every image beside the engine's."""
    picker = plan.exposure.picker_image
    return dataclasses.replace(
        plan,
        access=dataclasses.replace(plan.access, proxy_image=lock.image(plan.access.proxy_image)),
        exposure=dataclasses.replace(plan.exposure, picker_image=lock.image(picker) if picker else picker),
    )


def locked(decisions: tuple[Decision, ...], uses: tuple[Use, ...]) -> tuple[Decision, ...]:
    """The decisions with the origin `lock` where the lock file fixes one, and one more for what is not among them.

    A digest or a commit stands for one thing alone, so that a value that has it is the one that is locked.
    """
    found = list(decisions)
    for use in uses:
        if use.value is None:
            continue
        places = [at for at, one in enumerate(found) if one.value.endswith(use.value)]
        for at in places:
            old = found[at]
            why = f"{old.reason}; its digest is that of {LOCK_FILE}"
            reason = why if use.kind == "image" else f"commit that {LOCK_FILE} fixes for {use.name}"
            found[at] = Decision(old.field, old.value, "lock", reason)
        if not places:
            found.append(Decision(f"lock.{use.name}", use.value, "lock", f"{use.kind} that {LOCK_FILE} fixes"))
    return tuple(found)
