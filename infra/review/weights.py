"""Weights that are loaded after a change and were not before, though model and number format stay."""

from __future__ import annotations

from collections.abc import Iterator

from infra.batch_job import BatchJob
from infra.document import Path
from infra.pipeline import Endpoint
from infra.review.version import Version

_SHORT = 12


def weights_dangers(before: Version | None, after: Version) -> Iterator[tuple[str, Path]]:
    """Sentence and field of each."""
    was, built = before.built if before else None, after.built
    if not isinstance(was, Endpoint | BatchJob) or not isinstance(built, Endpoint | BatchJob):
        return
    old, new = was.plan.model, built.plan.model
    if old.revision != new.revision and old.checkpoint == new.checkpoint:
        said = f"other weights: {new.checkpoint} from {_short(old.revision)} to {_short(new.revision)}"
        yield said, ("weights", "revision")
    publishers = [one.checkpoint.rpartition("/")[0] for one in (old, new)]
    if old.id == new.id and publishers[0] != publishers[1]:
        said = f"other weights: {new.checkpoint}, published by {publishers[1]} and not by {publishers[0]}"
        yield said, ("weights",)
    if not isinstance(was, Endpoint) or not isinstance(built, Endpoint):
        return
    apart = {new.checkpoint, *(one.repository for one in (*was.plan.adapters, *built.plan.adapters))}
    fetched = {one.repository: one.revision for one in was.plan.weights.downloads}
    for file in built.plan.weights.downloads:
        before_it = fetched.get(file.repository, file.revision)
        if file.repository not in apart and before_it != file.revision:
            said = f"other weights: {file.repository} from {_short(before_it)} to {_short(file.revision)}"
            yield said, ("weights",)
    had = {one.name: one for one in was.plan.adapters}
    for one in built.plan.adapters:
        named = had.get(one.name)
        if named is not None and (named.repository, named.revision) != (one.repository, one.revision):
            said = (
                f"other weights: adapter {one.name} from {named.repository} {_short(named.revision)} "
                f"to {one.repository} {_short(one.revision)}"
            )
            yield said, ("adapters",)


def _short(revision: str | None) -> str:
    return f"revision {revision[:_SHORT]}" if revision else "no fixed revision"
