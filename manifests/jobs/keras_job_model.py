"""The preset: loaded, compiled, and what its tokenizer makes of records."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from keras_job_files import HopelessError, Record, say

CHUNK = 256  # records whose tokens are counted at once


def load_model(args: argparse.Namespace) -> Any:
    """The preset, with the length of its sequences.

    Raises:
        HopelessError: there is no such preset, or it generates no text.
    """
    import keras
    import keras_hub

    keras.utils.set_random_seed(args.seed)  # before the tokenizer, whose resource it would destroy
    versions = f"keras {keras.__version__}, keras-hub {keras_hub.__version__}, {keras.backend.backend()}"
    say(f"loading {args.preset} ({versions})")
    try:
        # By its own class: for Gemma 4, `CausalLM.from_preset` of keras-hub 0.32.0 takes the assistant's, and fails.
        model = keras_hub.models.Gemma4CausalLM.from_preset(args.preset, dtype=args.dtype)
    except ValueError as error:
        raise HopelessError(f"preset {args.preset}: {str(error).strip().splitlines()[0]}") from None
    model.preprocessor.sequence_length = args.sequence_length
    if args.adapter:
        model.backbone.load_lora_weights(args.adapter)
    return model


def check_lengths(model: Any, records: list[Record], length: int, responses: bool) -> None:
    """Refuse what the preprocessor would cut without a word: with a start token, and the answer's end or one new token.

    Raises:
        HopelessError: records are too long; the first five are named.
    """
    counts = token_counts(model, [one["prompt"] for one in records])
    if responses:
        counts = [a + b for a, b in zip(counts, token_counts(model, [one["response"] for one in records]), strict=True)]
    most = length - 1 if responses else length - 2
    faults = [f"{r['_at']} has {n:,}" for r, n in zip(records, counts, strict=True) if n > most]
    if faults:
        more = f", and {len(faults) - 5:,} more" if len(faults) > 5 else ""
        raise HopelessError(f"over {most:,} tokens, which --sequence-length leaves: {'; '.join(faults[:5])}{more}")


def token_counts(model: Any, texts: list[str]) -> list[int]:
    """Tokens of each text."""
    found: list[int] = []
    for at in range(0, len(texts), CHUNK):
        rows = model.preprocessor.tokenizer(texts[at : at + CHUNK])
        found += [int(n) for n in rows.row_lengths()] if hasattr(rows, "row_lengths") else [len(row) for row in rows]
    return found


def pairs(records: Sequence[Record]) -> dict[str, list[str]]:
    """Records as the preprocessor takes them for training; plain strings would be refused."""
    return {"prompts": [one["prompt"] for one in records], "responses": [one["response"] for one in records]}


def compile_loss(model: Any, args: argparse.Namespace) -> None:
    """Mean over the tokens of responses alone, whatever the padding."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="mean_with_sample_weight")
    model.compile(optimizer=keras.optimizers.Adam(args.learning_rate), loss=loss, weighted_metrics=[])


def first_of(logs: Any) -> Any:
    """The loss of what a step on a batch returns."""
    return logs[0] if isinstance(logs, list | tuple) else logs


def weight_of(model: Any, batch: list[Record]) -> int:
    """Tokens of a batch that count."""
    import keras

    return int(keras.ops.convert_to_numpy(model.preprocessor(pairs(batch))[2]).sum())
