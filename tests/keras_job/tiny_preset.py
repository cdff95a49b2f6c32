"""Make a tiny Gemma 4 preset of keras-hub in the folder named: run by the Python that has keras-hub, never imported.

Random but seeded weights; a SentencePiece vocabulary of bytes and Gemma's own symbols, trained in memory.
"""

from __future__ import annotations

import io
import sys

import keras
import keras_hub
import sentencepiece

_SYMBOLS = ("<|image>", "<|image|>", "<image|>", "<|video>", "<|video|>", "<video|>", "<|turn>", "<turn|>")
_WORDS = ("a train goes to Paris at noon", "the city has a river", "rain falls on the hills", "who paid for the bread")


def _vocabulary() -> bytes:
    proto = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(_WORDS * 4),
        model_writer=proto,
        model_type="bpe",
        vocab_size=330,
        byte_fallback=True,
        hard_vocab_limit=False,
        pad_id=0,
        eos_id=1,
        bos_id=2,
        unk_id=3,
        pad_piece="<pad>",
        eos_piece="<eos>",
        bos_piece="<bos>",
        user_defined_symbols=list(_SYMBOLS),
        minloglevel=2,
    )
    return proto.getvalue()


def main(folder: str) -> None:
    """Write the preset."""
    keras.utils.set_random_seed(7)
    tokenizer = keras_hub.models.Gemma4Tokenizer(proto=_vocabulary())
    backbone = keras_hub.models.Gemma4Backbone(
        vocabulary_size=tokenizer.vocabulary_size(),
        image_size=32,
        num_layers=4,
        num_query_heads=4,
        num_key_value_heads=1,
        hidden_dim=32,
        intermediate_dim=64,
        head_dim=16,
        global_head_dim=32,
        sliding_window_size=16,
        sliding_window_pattern=2,
        final_logit_soft_cap=30.0,
        dtype="float32",
    )
    preprocessor = keras_hub.models.Gemma4CausalLMPreprocessor(tokenizer=tokenizer, sequence_length=32)
    keras_hub.models.Gemma4CausalLM(backbone=backbone, preprocessor=preprocessor).save_to_preset(folder)


if __name__ == "__main__":
    main(sys.argv[1])
