"""Writes a Gemma 4 folder of half a million random weights, as vLLM reads it. Runs in the Python that has vLLM.

Sizes are the smallest that vLLM 0.32's attention takes on a processor: heads of 64 and 128.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

_TURNS = ["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>"]
_TOOLS = ["<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>']
_MEDIA = ["<|image>", "<|image|>", "<image|>", "<|audio>", "<|audio|>", "<audio|>", "<|video|>"]
_MARKS = [*_TURNS, *_TOOLS, *_MEDIA]
_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|turn>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}"
    "{% else %}{% for part in message.content or [] %}{{ part.text or '' }}{% endfor %}{% endif %}<turn|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|turn>model\n{% endif %}"
    "{# <|tool_call> #}"
)


def write(folder: Path) -> None:
    """Weights, tokenizer and processor."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import Gemma4Config, Gemma4ForConditionalGeneration, PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: place for place, word in enumerate([*_MARKS, *letters])}
    inner = Tokenizer(models.BPE(vocab=words, merges=[], unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(_MARKS)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={
            "image_token": "<|image|>",
            "boi_token": "<|image>",
            "eoi_token": "<image|>",
            "audio_token": "<|audio|>",
            "boa_token": "<|audio>",
            "eoa_token": "<audio|>",
            "video_token": "<|video|>",
        },
        chat_template=_TEMPLATE,
    )
    tokenizer.save_pretrained(folder)
    text = {
        "vocab_size": len(words),
        "vocab_size_per_layer_input": len(words),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "head_dim": 64,
        "global_head_dim": 128,
        "hidden_size_per_layer_input": 16,
        "layer_types": [*["sliding_attention"] * 5, "full_attention"],
        "sliding_window": 64,
        "max_position_embeddings": 8192,
        "bos_token_id": 2,
        "eos_token_id": 1,
        "pad_token_id": 0,
    }
    vision = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "patch_size": 16,
        "default_output_length": 280,
    }
    config = Gemma4Config(
        text_config=text,
        vision_config=vision,
        audio_config=None,
        image_token_id=words["<|image|>"],
        boi_token_id=words["<|image>"],
        eoi_token_id=words["<image|>"],
        audio_token_id=words["<|audio|>"],
        boa_token_id=words["<|audio>"],
        eoa_token_index=words["<audio|>"],
        video_token_id=words["<|video|>"],
    )
    torch.manual_seed(7)
    Gemma4ForConditionalGeneration(config).save_pretrained(folder)
    generation = {"bos_token_id": 2, "eos_token_id": [1, words["<turn|>"]], "pad_token_id": 0}
    (folder / "generation_config.json").write_text(json.dumps(generation))
    parts = {
        "processor_class": "Gemma4Processor",
        "image_processor": {"image_processor_type": "Gemma4ImageProcessor"},
        "video_processor": {"video_processor_type": "Gemma4VideoProcessor"},
        "feature_extractor": {"feature_extractor_type": "Gemma4AudioFeatureExtractor"},
    }
    (folder / "processor_config.json").write_text(json.dumps(parts))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
