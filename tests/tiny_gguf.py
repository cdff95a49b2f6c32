"""A Gemma 4 model of some ten thousand weights, made in a moment: it exercises a real server, and says one sentence.

Shape and tokenizer follow what llama.cpp b11434 asks of the architecture `gemma4`; weights are random but seeded, and
next to nothing of them reaches the end: the output matrix is a table of which token follows which, so that a turn, a
call under a grammar and a JSON string end. It tests a server's surface, not what a model can do.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import gguf
import numpy as np

_LAYERS, _HIDDEN, _HEADS, _FFN = 6, 64, 2, 128
_SLIDING_HEAD, _GLOBAL_HEAD, _WINDOW, _CONTEXT = 32, 64, 128, 131_072
_TOKENS = ("<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "\n", "▁")
_CONTROL = ("<pad>", "<eos>", "<bos>", "<|turn>", "<turn|>", "<|think|>")
_MARKS = ("<|channel>", "<channel|>", "<|tool>", "<tool|>", "<|tool_call>", "<tool_call|>", "<|tool_response>")
_MARKS += ("<tool_response|>", '<|"|>')
REPLY = ("Hello", "▁from", "▁a", "▁tiny", "▁Gemma", "▁model", "▁indeed")
THOUGHTS = ("thought\n", "Thinking", "▁of", "▁little")
_CHAIN = ("\n", "<|channel>", *THOUGHTS, "<channel|>", *REPLY, "<turn|>")
_FOLLOWS = (*pairwise(_CHAIN), ("{", "}"))
# What ends things comes before what goes on, wherever a grammar leaves a choice.
_LIKED = {"<turn|>": 6.0, "<tool_call|>": 2.0, "}": 4.5, '<|"|>': 5.5, '"': 5.5, "]": 4.0, ",": 3.5, ":": 3.0, "1": 1.0}
_LINK, _STEADY = 4.0, 1.0  # in an embedding: the token's own place, and the one that all share
_TEMPLATE = """\
{{ bos_token }}
{%- if tools or enable_thinking %}{{ '<|turn>system\\n' }}
{%- if enable_thinking %}{{ '<|think|>' }}{% endif %}
{%- for tool in tools or [] %}{{ '<|tool>' + (tool | tojson) + '<tool|>' }}{% endfor %}{{ '<turn|>\\n' }}{% endif %}
{%- for message in messages %}{{ '<|turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' }}
{%- for call in message.tool_calls or [] %}
{{- '<|tool_call>call:' + call.function.name + (call.function.arguments | tojson) + '<tool_call|>' }}
{%- endfor %}
{%- if message.content is string %}{{ message.content }}
{%- else %}{% for part in message.content or [] %}{{ part.text or '' }}{% endfor %}{% endif %}{{ '<turn|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|turn>model\\n' }}
{%- if not enable_thinking %}{{ '<|channel>thought\\n<channel|>' }}{% endif %}{% endif %}"""


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
    plain = (*(chr(code) for code in range(33, 127)), *REPLY, *THOUGHTS)
    return [*_TOKENS, *(f"<0x{byte:02X}>" for byte in range(256)), "<|think|>", *_MARKS, *plain]


def _add_tokenizer(writer: gguf.GGUFWriter) -> None:
    words = _words()
    kinds = [gguf.TokenType.NORMAL] * len(words)
    for word in _CONTROL:
        kinds[words.index(word)] = gguf.TokenType.CONTROL
    for word in _MARKS:
        kinds[words.index(word)] = gguf.TokenType.USER_DEFINED
    for byte in range(256):
        kinds[len(_TOKENS) + byte] = gguf.TokenType.BYTE
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(words)
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h", "h e", "i n", "a n"])
    writer.add_bos_token_id(2)
    writer.add_eos_token_id(words.index("<turn|>"))
    writer.add_unk_token_id(3)
    writer.add_pad_token_id(0)
    writer.add_chat_template(_TEMPLATE)


def _table() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings, and the output matrix that finds in them which token comes next."""
    words = _words()
    embeddings = (np.random.default_rng(11).standard_normal((len(words), _HIDDEN)) * 0.02).astype(np.float32)
    embeddings[:, : len(_FOLLOWS) + 1] = 0
    embeddings[:, 0] = _STEADY
    outputs = np.zeros((len(words), _HIDDEN), np.float32)
    for word, liking in _LIKED.items():
        outputs[words.index(word), 0] = liking * 0.25
    for place, (word, after) in enumerate(_FOLLOWS, 1):
        embeddings[words.index(word), place] = _LINK
        outputs[words.index(after), place] = 3.0
    return embeddings, outputs


def _add_tensors(writer: gguf.GGUFWriter, kinds: list[bool]) -> None:
    random = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> None:
        writer.add_tensor(name, (random.standard_normal(shape) * 0.05).astype(np.float32))

    def ones(name: str, size: int) -> None:
        writer.add_tensor(name, np.ones(size, np.float32))

    rotated = np.full(_GLOBAL_HEAD // 2, 1e30, np.float32)
    rotated[: _GLOBAL_HEAD // 8] = 1
    embeddings, outputs = _table()
    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output.weight", outputs)
    ones("output_norm.weight", _HIDDEN)
    writer.add_tensor("rope_freqs.weight", rotated)
    for layer, sliding in enumerate(kinds):
        block, head = f"blk.{layer}", _SLIDING_HEAD if sliding else _GLOBAL_HEAD
        for norm, share in (("attn_norm", 1), ("post_attention_norm", 0.01), ("ffn_norm", 1), ("post_ffw_norm", 0.01)):
            writer.add_tensor(f"{block}.{norm}.weight", np.full(_HIDDEN, share, np.float32))
        ones(f"{block}.attn_q_norm.weight", head)
        ones(f"{block}.attn_k_norm.weight", head)
        weights(f"{block}.attn_q.weight", _HEADS * head, _HIDDEN)
        weights(f"{block}.attn_k.weight", head, _HIDDEN)
        weights(f"{block}.attn_v.weight", head, _HIDDEN)
        weights(f"{block}.attn_output.weight", _HIDDEN, _HEADS * head)
        weights(f"{block}.ffn_gate.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_up.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_down.weight", _HIDDEN, _FFN)
