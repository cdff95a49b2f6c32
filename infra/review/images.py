"""Container images whose content can change unseen, or that somebody else publishes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infra.pipeline import Platform
from infra.review.version import Version


def image_dangers(before: Version | None, after: Version) -> Iterator[tuple[str, str]]:
    """Kind and sentence of each.

    A tag is a danger where the stack file names it, or where a digest stood; the catalogue's tags name a version.
    """
    if after.built is None or isinstance(after.built, Platform):
        return
    had, own = set(images(before.objects if before else [])), after.built.spec.engine.image
    fixed = {_bare(image) for image in had if "@sha256:" in image}
    digests = {tag: digest for tag, _, digest in (one.partition("@") for one in had) if ":" in tag and digest}
    publishers = {_bare(image): _publisher(image) for image in had}
    for image in sorted(set(images(after.objects)) - had):
        named = own is not None and image.rpartition("/")[2] == own.rpartition("/")[2]
        if "@sha256:" not in image and (named or _bare(image) in fixed):
            yield "moving-image", f"image {image} is named by a tag, which can move: write its digest (@sha256:...)"
        tag, _, digest = image.partition("@")
        if digest and digests.get(tag, digest) != digest:
            yield "other-image", f"image {tag} has other content than before under the same tag: {digest[:19]}"
        if publishers.get(_bare(image), _publisher(image)) != _publisher(image):
            yield "other-image", f"image {image} comes from {_publisher(image)}, not from {publishers[_bare(image)]}"


def images(value: Any) -> Iterator[str]:
    """Every container's image, of objects."""
    if isinstance(value, dict):
        if isinstance(value.get("image"), str):
            yield value["image"]
        for one in value.values():
            yield from images(one)
    elif isinstance(value, list):
        for one in value:
            yield from images(one)


def _bare(image: str) -> str:
    """An image's last word, without tag and digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def _publisher(image: str) -> str:
    """Registry and folder."""
    return image.partition("@")[0].rpartition("/")[0] or "the default registry"
