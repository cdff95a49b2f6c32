"""What is different on this machine: where weights lie, what a stack file may say, and a model that is made here."""

from __future__ import annotations

import dataclasses

from infra.plan.refusal import RefusedError
from infra.plan.serving_plan import ModelChoice
from infra.plan.weights_source import WeightsChoice
from infra.spec import EndpointSpec, PlatformSpec

DEFAULT_PORT = 8080
TINY_MODEL = "gemma-4-tiny-it"
_TINY_FILE = f"weights/tiny/1/{TINY_MODEL}.gguf"  # the number is raised where the maker writes other bytes
_HERE = ("file", "tiny")


def check_local(spec: EndpointSpec, platform: PlatformSpec) -> None:
    """Refuse what goes with this machine alone elsewhere, and what goes with clusters alone here.

    Raises:
        RefusedError: with what to write instead.
    """
    weights, elsewhere = spec.weights, "goes with a platform of kind local alone"
    if platform.local is None:
        if weights.source in _HERE:
            what = "the tiny model is made on this machine" if weights.source == "tiny" else "a file of this machine"
            raise RefusedError(
                ("weights", "source"), f"{what}, so source {weights.source} {elsewhere}; use hugging-face."
            )
        if not weights.keep:
            raise RefusedError(("weights", "keep"), f"it {elsewhere}; leave it out.")
        if spec.expose.port is not None:
            raise RefusedError(("expose", "port"), f"it {elsewhere}, others have a port of the project; leave it out.")
        return
    if weights.source not in (*_HERE, "hugging-face"):
        raise RefusedError(
            ("weights", "source"), f"{weights.source} is a volume of a cluster; use hugging-face, or file: PATH."
        )
    if weights.tokenSecret is not None:
        raise RefusedError(("weights", "tokenSecret"), "this machine has no Secrets; leave it out, and set HF_TOKEN.")
    if spec.expose.keySecret is not None:
        raise RefusedError(("expose", "keySecret"), "the key is made on this machine, in a file; leave it out.")
    if spec.expose.clients:
        raise RefusedError(("expose", "clients"), "this machine has no pods; whoever has the key may call.")
    if spec.engine.image is not None:
        raise RefusedError(("engine", "image"), "this machine runs the llama-server on PATH; leave it out.")
    if weights.source in _HERE and spec.framework != "llamacpp":
        raise RefusedError(("weights", "source"), f"source {weights.source} is a GGUF file; use framework: llamacpp.")
    if weights.source == "tiny" and spec.inputs not in (None, ["text"]):
        raise RefusedError(("inputs",), "the tiny model reads text alone; write inputs: [text].")


def only_text(spec: EndpointSpec) -> EndpointSpec:
    """The stack file with what the tiny model reads, where it is the one."""
    if spec.weights.source != "tiny" or spec.inputs is not None:
        return spec
    return spec.model_copy(update={"inputs": ["text"]})


def local_weights(spec: EndpointSpec, choice: WeightsChoice) -> WeightsChoice:
    """Where weights lie on this machine, below the folder in which the service runs."""
    if choice.source in _HERE:
        path = spec.weights.file if choice.source == "file" else _TINY_FILE
        return dataclasses.replace(choice, model_path=path or "", projector_path="")
    downloads = tuple(
        dataclasses.replace(one, folder=f"weights/{one.repository}/{one.revision}") for one in choice.downloads
    )
    if not downloads or not downloads[0].files:
        return choice
    folder = downloads[0].folder
    return dataclasses.replace(
        choice,
        downloads=downloads,
        model_path=f"{folder}/{choice.model_path.rpartition('/')[2]}",
        projector_path=f"{folder}/{choice.projector_path.rpartition('/')[2]}" if choice.projector_path else "",
    )


def local_model(spec: EndpointSpec, model: ModelChoice) -> ModelChoice:
    """The model by the name under which it is served: one that was made here does not pass for another."""
    if spec.weights.source == "tiny":
        return dataclasses.replace(model, id=TINY_MODEL, checkpoint=f"{TINY_MODEL} made here", revision=None)
    if spec.weights.source == "file":
        return dataclasses.replace(model, checkpoint=(spec.weights.file or "").rpartition("/")[2], revision=None)
    return model


def local_cautions(spec: EndpointSpec) -> tuple[str, ...]:
    """What to know of weights that are not those of the plan's checkpoint."""
    if spec.weights.source == "tiny":
        return (
            f"a model of 2 MB that says one sentence, to try the way of {spec.model}, whose memory and time are shown",
        )
    if spec.weights.source == "file":
        return (f"nothing checks that the file holds {spec.model}; memory is that of the checkpoint of its precision",)
    return ()
