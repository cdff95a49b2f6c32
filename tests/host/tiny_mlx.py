"""Writes a Gemma 4 folder of half a million random weights for mlx-vlm. Runs in the Python that has it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

_TURNS = ["<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|channel>", "<channel|>", "<|think|>"]
_TOOLS = ["<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", '<|"|>']
_MEDIA = {
    "boi_token": "<|image>",
    "image_token": "<|image|>",
    "eoi_token": "<image|>",
    "boa_token": "<|audio>",
    "audio_token": "<|audio|>",
    "eoa_token": "<audio|>",
    "video_token": "<|video|>",
}
_MARKS = [*_TURNS, *_TOOLS, *_MEDIA.values()]
# The name of a tool's mark in the template is what makes mlx-vlm choose the parser of Gemma 4.
_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|turn>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}"
    "{% else %}{% for part in message.content or [] %}{% if part.type == 'image' %}<|image|>"
    "{% else %}{{ part.text or '' }}{% endif %}{% endfor %}{% endif %}<turn|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|turn>model\n{% endif %}{# <|tool_call> #}"
)


def write(folder: Path) -> None:
    """Weights, tokenizer and processor; the vocabulary is as large as the tokenizer's, or the server fails."""
    import mlx.core as mx
    from mlx.utils import tree_flatten
    from mlx_vlm.models.gemma4 import Model, ModelConfig, TextConfig, VisionConfig
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    folder.mkdir(parents=True)
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {word: place for place, word in enumerate([*_MARKS, *letters])}
    inner = Tokenizer(models.BPE(vocab=words, merges=[], unk_token="<unk>"))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.add_special_tokens(_MARKS)
    PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token="<bos>",
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens=_MEDIA,
        chat_template=_TEMPLATE,
    ).save_pretrained(folder)
    text = {
        "model_type": "gemma4_text",
        "vocab_size": len(words),
        "vocab_size_per_layer_input": len(words),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 6,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "num_kv_shared_layers": 0,
        "use_double_wide_mlp": False,
        "head_dim": 64,
        "global_head_dim": 128,
        "hidden_size_per_layer_input": 16,
        "layer_types": [*["sliding_attention"] * 5, "full_attention"],
        "sliding_window": 64,
        "max_position_embeddings": 8192,
    }
    vision = {
        "model_type": "gemma4_vision",
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "patch_size": 16,
    }
    config = {
        "architectures": ["Gemma4ForConditionalGeneration"],
        "model_type": "gemma4",
        "text_config": text,
        "vision_config": vision,
        "audio_config": None,
        "vocab_size": len(words),
        "hidden_size": 64,
        "tie_word_embeddings": True,
        "eos_token_id": [1, words["<turn|>"]],
        **{f"{name}_id": words[mark] for name, mark in _MEDIA.items()},
    }
    mx.random.seed(7)
    known = ModelConfig.from_dict(config)
    known.text_config, known.vision_config = TextConfig.from_dict(text), VisionConfig.from_dict(vision)
    model = Model(known)
    values = dict(tree_flatten(model.parameters()))
    mx.save_safetensors(str(folder / "model.safetensors"), values, metadata={"format": "mlx"})
    generation = {"bos_token_id": 2, "eos_token_id": [1, words["<turn|>"]], "pad_token_id": 0}
    parts = {
        "processor_class": "Gemma4Processor",
        "image_processor": {"image_processor_type": "Gemma4ImageProcessor"},
        "video_processor": {"video_processor_type": "Gemma4VideoProcessor"},
        "feature_extractor": {"feature_extractor_type": "Gemma4AudioFeatureExtractor"},
    }
    for name, data in (("config", config), ("generation_config", generation), ("processor_config", parts)):
        (folder / f"{name}.json").write_text(json.dumps(data))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
