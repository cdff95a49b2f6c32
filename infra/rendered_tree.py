"""The tree of rendered manifests: for each stack a folder of files, as names and texts. Nothing here reads or writes.

A Kubernetes object is a file `<kind>-<name>.yaml`, which Argo CD and Flux apply. What is no object of a cluster (a
platform's Google resources, node pools of an endpoint, what Google or a machine runs) is in `render.txt`, which they
pass over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.batch_job import BatchJob
from infra.golden import beside_objects, golden_text
from infra.own_files import OwnFiles
from infra.pipeline import Built, Endpoint, ManagedEndpoint, Platform
from infra.render import manifest

MARKER = ".servestack-tree"
MARKER_TEXT = "servestack rendered tree, version 1\n"
HEADER = "# Written by servestack render --all; what is changed here is overwritten.\n"
OTHER = "render.txt"
BESIDE = "# Made by pulumi up, not by what applies this folder: its pods wait until these are there.\n"


@dataclass(frozen=True)
class Difference:
    """Files of a tree, sorted: `missing` there, `stale` (other text), `extra` (of nothing that is rendered now)."""

    missing: tuple[str, ...]
    stale: tuple[str, ...]
    extra: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """One line a file, such as `stale: prod/render.txt`."""
        kinds = (("missing", self.missing), ("stale", self.stale), ("extra", self.extra))
        return [f"{kind}: {file}" for kind, files in kinds for file in files]


def tree(built: Iterable[Built]) -> dict[str, str]:
    """Every file of the tree by its path below it, with `/`, sorted; the marker among them."""
    found = {MARKER: MARKER_TEXT}
    for one in built:
        found |= {f"{one.name}/{file}": HEADER + text for file, text in stack_files(one).items()}
    return dict(sorted(found.items()))


def stack_files(built: Built) -> dict[str, str]:
    """Files of one stack's folder by name."""
    objects = _objects(built)
    found = {file: manifest([one]) for file, one in zip(object_files(objects), objects, strict=True)}
    if not objects or isinstance(built, ManagedEndpoint):
        found[OTHER] = golden_text(built)
    elif isinstance(built, Endpoint | BatchJob) and (beside := beside_objects(built)):
        found[OTHER] = BESIDE + beside
    return found


def _objects(built: Built) -> list[dict[str, Any]]:
    """Kubernetes objects; none of what this version only plans."""
    if isinstance(built, Platform) or (isinstance(built, Endpoint) and built.refusal is not None):
        return []
    return built.objects()


def object_files(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """A file name for each object, which no other object changes unless kind and name are the same."""
    keys = [_key(one) for one in objects]
    often = Counter(short for short, _ in keys)
    return [(short if often[short] == 1 else long) + ".yaml" for short, long in keys]


def _key(found: Mapping[str, Any]) -> tuple[str, str]:
    group, _, _ = found["apiVersion"].rpartition("/")
    kind, meta = found["kind"], found["metadata"]
    place = "-".join(filter(None, (group or "core", meta.get("namespace", ""))))
    return _plain(f"{kind}-{meta['name']}"), _plain(f"{kind}.{place}-{meta['name']}")


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.-]", "-", text.lower())


def difference(wanted: Mapping[str, str], there: Mapping[str, str]) -> Difference:
    """What keeps a tree that is there from being the one that is wanted."""
    return Difference(
        missing=tuple(sorted(wanted.keys() - there.keys())),
        stale=tuple(sorted(file for file in wanted.keys() & there.keys() if wanted[file] != there[file])),
        extra=tuple(sorted(there.keys() - wanted.keys())),
    )


TREE = OwnFiles(
    marker=MARKER,
    marker_text=MARKER_TEXT,
    wrote=lambda _file, text: text.startswith(HEADER),
    advice="servestack render --all replaces the whole folder, so nothing else may be in it: name another one with "
    "--output DIR, such as a new folder inside.",
)
