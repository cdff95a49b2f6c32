"""Which container image runs: the catalogue's, or the stack's own, whose tag must not say another version."""

from __future__ import annotations

import re

from infra.catalog.records import Accelerator, Framework
from infra.plan.images import image_for
from infra.plan.refusal import RefusedError
from infra.plan.versions import choose_version
from infra.spec import EndpointSpec

_FIELD = ("engine", "image")


def check_image(spec: EndpointSpec, facts: Framework, accelerator: Accelerator, version: str, size: str) -> None:
    """Refuse an image where none runs, and one whose tag says another version than the plan is for.

    Memory and flags are those of the plan's version, and a version that fails must not come in by its image.

    Raises:
        RefusedError: no container, or the tag says another version.
    """
    image = spec.engine.image
    if image is None:
        return
    if image_for(facts, accelerator) is None:
        raise RefusedError(_FIELD, f"{facts.display_name} on {accelerator.id} runs in no container; leave it out.")
    said = _version_of(image, version)
    if said is not None and said != version:
        try:
            choose_version(facts, said, size)
        except RefusedError as refused:
            raise RefusedError(_FIELD, f"its tag says {said}: {refused.message}") from None
        raise RefusedError(
            _FIELD,
            f"its tag says {said}, and the plan is for {facts.display_name} {version}, whose memory and flags it "
            f"knows. Write 'engine.version: {said}' as well, or another image.",
        )


def reference_of(spec: EndpointSpec, facts: Framework, accelerator: Accelerator, version: str) -> str:
    """The image's full reference, empty where no container runs."""
    image = image_for(facts, accelerator)
    if image is None:
        return ""
    return spec.engine.image or image.reference.format(version=version, model=spec.model)


def image_cautions(spec: EndpointSpec, facts: Framework, version: str, reference: str) -> list[str]:
    """What to know of an image that the stack file names; `reference` is that by which pods pull it."""
    if spec.engine.image is None:
        return []
    said = [f"engine.image is taken for {facts.display_name} {version}: memory and flags are of that version"]
    if "@sha256:" not in reference:
        said.append("engine.image is named by its tag, which its registry can move; @sha256:... names one image")
    return said


def audio_caution(facts: Framework, inputs: tuple[str, ...]) -> str | None:
    """What to know where requests may hold what only an image of one's own takes."""
    added = [name for name in inputs if name in facts.inputs_with_own_image]
    if not added:
        return None
    return f"whether engine.image has the packages for {' and '.join(added)} is not checked: try one request of each"


def _version_of(image: str, like: str) -> str | None:
    """Version that a tag begins or ends with, of the form of another (`0.33.0` or `b11434`), or None."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2]
    form = r"b[0-9]{4,6}" if like.startswith("b") else r"[0-9]+\.[0-9]+\.[0-9]+(?:rc[0-9]+|\.?post[0-9]+)?"
    found = re.search(rf"(?:^|[-_v])({form})(?:$|[-_+])", tag)
    return found[1] if found else None
