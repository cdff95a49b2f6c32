"""A Gemma 4 model of a few thousand weights, made in a moment: it exercises a real server, and answers nonsense.

Shape and tokenizer follow what llama.cpp b11434 asks of the architecture `gemma4`; all weights are random but seeded.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

_LAYERS, _HIDDEN, _HEADS, _FFN = 6, 64, 2, 128
_SLIDING_HEAD, _GLOBAL_HEAD, _WINDOW, _CONTEXT = 32, 64, 128, 4096
_TOKENS = ("<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "\n", "▁")
_CONTROL = (0, 1, 2, 4, 5)
_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|turn>{{ message.role }}\n{{ message.content }}<turn|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn>model\n{% endif %}"
)


def write_tiny_gguf(path: Path) -> None:
    """Write the model: the same bytes every time."""
    writer = gguf.GGUFWriter(path, "gemma4")
    kinds = [layer % 6 != 5 for layer in range(_LAYERS)]  # True: a sliding layer
    writer.add_block_count(_LAYERS)
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_HIDDEN)
    writer.add_feed_forward_length(_FFN)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv([1] * _LAYERS)
    writer.add_key_length(_GLOBAL_HEAD)
    writer.add_value_length(_GLOBAL_HEAD)
    for name, value in (
        ("attention.key_length_swa", _SLIDING_HEAD),
        ("attention.value_length_swa", _SLIDING_HEAD),
        ("rope.dimension_count", _GLOBAL_HEAD),
        ("rope.dimension_count_swa", _SLIDING_HEAD),
        ("attention.sliding_window", _WINDOW),
        ("attention.shared_kv_layers", 0),
        ("embedding_length_per_layer_input", 0),
    ):
        writer.add_uint32(f"gemma4.{name}", value)
    for name, number in (
        ("rope.freq_base", 1e6),
        ("rope.freq_base_swa", 1e4),
        ("attention.layer_norm_rms_epsilon", 1e-6),
        ("final_logit_softcapping", 30.0),
    ):
        writer.add_float32(f"gemma4.{name}", number)
    writer.add_array("gemma4.attention.sliding_window_pattern", kinds)
    _add_tokenizer(writer)
    _add_tensors(writer, kinds)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _words() -> list[str]:
    return [*_TOKENS, *(f"<0x{byte:02X}>" for byte in range(256)), *(chr(code) for code in range(33, 127))]


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    words = _words()
    kinds = [gguf.TokenType.NORMAL] * len(words)
    for token in _CONTROL:
        kinds[token] = gguf.TokenType.CONTROL
    for byte in range(256):
        kinds[len(_TOKENS) + byte] = gguf.TokenType.BYTE
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(words)
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h", "h e", "i n", "a n"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(5)
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_chat_template(_TEMPLATE)


def _add_tensors(writer: gguf.GGUFWriter, kinds: list[bool]) -> None:
    random = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> None:
        writer.add_tensor(name, (random.standard_normal(shape) * 0.05).astype(np.float32))

    def ones(name: str, size: int) -> None:
        writer.add_tensor(name, np.ones(size, np.float32))

    rotated = np.full(_GLOBAL_HEAD // 2, 1e30, np.float32)
    rotated[: _GLOBAL_HEAD // 8] = 1
    weights("token_embd.weight", len(_words()), _HIDDEN)
    ones("output_norm.weight", _HIDDEN)
    writer.add_tensor("rope_freqs.weight", rotated)
    for layer, sliding in enumerate(kinds):
        block, head = f"blk.{layer}", _SLIDING_HEAD if sliding else _GLOBAL_HEAD
        for norm in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm"):
            ones(f"{block}.{norm}.weight", _HIDDEN)
        ones(f"{block}.attn_q_norm.weight", head)
        ones(f"{block}.attn_k_norm.weight", head)
        weights(f"{block}.attn_q.weight", _HEADS * head, _HIDDEN)
        weights(f"{block}.attn_k.weight", head, _HIDDEN)
        weights(f"{block}.attn_v.weight", head, _HIDDEN)
        weights(f"{block}.attn_output.weight", _HIDDEN, _HEADS * head)
        weights(f"{block}.ffn_gate.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_up.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_down.weight", _HIDDEN, _FFN)
