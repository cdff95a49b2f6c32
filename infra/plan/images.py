"""Which container image of a framework runs on an accelerator."""

from __future__ import annotations

from infra.catalog.records import Accelerator, Framework, Image


def image_for(facts: Framework, accelerator: Accelerator) -> Image | None:
    """The image made for the accelerator's architecture, else the general one; None where none is, as on a Mac."""
    if accelerator.kind == "apple":
        return None
    own = [one for one in facts.images if accelerator.architecture in one.architectures]
    general = [one for one in facts.images if not one.architectures]
    return next(iter([*own, *general]), None)
