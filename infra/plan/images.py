"""Which container image of a framework runs on an accelerator."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Framework, Image

# Of GPU images whose size is not published. lmsysorg/sglang was 11 GB in February 2025 (sgl-project/sglang issue 3673)
# and has grown since; NVIDIA's were not looked up: assumed.
_UNKNOWN_GIB = 16


def image_gib(image: Image | None, accelerator: Accelerator) -> int | None:
    """Size of an image as disks and start-up times count it; None where none is needed or a CPU image's is unknown."""
    if image is None or image.size_gib is not None:
        return image.size_gib if image else None
    return _UNKNOWN_GIB if accelerator.kind == "gpu" else None


def image_for(facts: Framework, accelerator: Accelerator) -> Image | None:
    """The image made for the accelerator's architecture, else the general one; None where none is, as on a Mac."""
    if accelerator.kind == "apple":
        return None
    own = [one for one in facts.images if accelerator.architecture in one.architectures]
    general = [one for one in facts.images if not one.architectures]
    return next(iter([*own, *general]), None)
