"""A Gemma 4 model of a few hundred thousand weights, made in a moment: it says one sentence, and fills in grammars.

It runs the whole way of a real model through a real `llama-server`, and knows nothing. Shape and tokenizer are what
llama.cpp b11434 asks of the architecture `gemma4`. The layers are random, seeded, and hardly heard, so that the output
matrix sees the last token alone: it is a table of which token follows which, with a lean towards what ends an answer,
a string or an object, without which a grammar would be filled for ever.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.local.failures import LocalError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SENTENCE = ("Hello", "▁from", "▁a", "▁tiny", "▁Gemma", "▁4", ".")
_LAYERS, _HIDDEN, _HEADS, _FFN = 6, 128, 2, 128
_SLIDING_HEAD, _GLOBAL_HEAD, _WINDOW, _CONTEXT = 32, 64, 128, 131072
_CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>", "<|tool>", "<tool|>")
# Markers that the parser of tool calls has to see as text.
_MARKERS = ("<|tool_call>", "<tool_call|>", "<|tool_response>", "<tool_response|>", "<|channel>", "<channel|>", '<|"|>')
_END, _LINE, _SPACE = "<turn|>", "\n", "▁"
# Logits before the cap of 30. The sentence comes before the end of the answer, that before what ends a string, that
# before what ends all else, and those before what a grammar may ask next; a chain of thought is never begun.
_FOLLOWS = 28.0
_LEANS = {
    18.0: (_END,),
    15.0: ('"',),
    12.0: ("}", "]", "<tool_call|>", "<channel|>"),
    9.0: (",", ":", "{", "[", "<|tool_call>", '<|"|>'),
    6.0: ("`",),
    -9.0: ("<|channel>", "<"),
}
_TEMPLATE = """{#- OpenAI Chat Completions: -#}
{%- macro text(content) -%}
{%- if content is string -%}{{ content }}
{%- elif content -%}{%- for part in content -%}{%- if part.type == 'text' -%}{{ part.text }}{%- endif -%}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{{- bos_token -}}
{%- if tools -%}
{{- '<|turn>system\\n' -}}
{%- for tool in tools -%}
{{- '<|tool>declaration:' + tool.function.name + (tool.function.parameters | tojson) + '<tool|>' -}}
{%- endfor -%}
{{- '<turn|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' -%}
{{- '<|turn>user\\n<|tool_response>' + text(message.content) + '<tool_response|><turn|>\\n' -}}
{%- else -%}
{{- '<|turn>' + ('model' if message.role == 'assistant' else message.role) + '\\n' + text(message.content) -}}
{%- for call in message.tool_calls or [] -%}
{{- '<|tool_call>call:' + call.function.name + (call.function.arguments | tojson) + '<tool_call|>' -}}
{%- endfor -%}
{{- '<turn|>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|turn>model\\n' -}}{%- endif -%}
"""


def ensure_tiny_model(path: Path) -> None:
    """Make the file where it is not there: the same bytes every time.

    Raises:
        LocalError: the packages that write it are not installed.
    """
    if path.is_file():
        return
    try:
        import gguf  # noqa: F401
    except ImportError:
        raise LocalError("the tiny model is written with the package gguf: pip install gguf.") from None
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    write_tiny_model(fresh)
    fresh.replace(path)


def write_tiny_model(path: Path) -> None:
    """Write the model."""
    import gguf

    writer = gguf.GGUFWriter(path, "gemma4")
    sliding = [layer % 6 != 5 for layer in range(_LAYERS)]
    writer.add_name("Gemma 4 tiny")
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
    writer.add_array("gemma4.attention.sliding_window_pattern", sliding)
    _add_tokenizer(writer)
    _add_tensors(writer, sliding)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _words() -> list[str]:
    letters = [chr(code) for code in range(33, 127)]
    made = [*_CONTROL, *_MARKERS, _LINE, _SPACE, *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    return [*made, *(word for word in SENTENCE if word not in made)]


def _add_tokenizer(writer: Any) -> None:
    import gguf

    words = _words()
    kinds = [gguf.TokenType.NORMAL] * len(words)
    for word in _CONTROL:
        kinds[words.index(word)] = gguf.TokenType.CONTROL
    for word in _MARKERS:
        kinds[words.index(word)] = gguf.TokenType.USER_DEFINED
    for byte in range(256):
        kinds[words.index(f"<0x{byte:02X}>")] = gguf.TokenType.BYTE
    writer.add_tokenizer_model("gemma4")
    writer.add_token_list(words)
    writer.add_token_scores([0.0] * len(words))
    writer.add_token_types(kinds)
    writer.add_token_merges(["t h", "h e", "i n", "a n"])
    writer.add_bos_token_id(words.index("<bos>"))
    writer.add_eos_token_id(words.index(_END))
    writer.add_unk_token_id(words.index("<unk>"))
    writer.add_pad_token_id(words.index("<pad>"))
    writer.add_chat_template(_TEMPLATE)


def _embeddings(random: np.random.Generator, count: int) -> NDArray[np.float32]:
    """One row per token, of length 1; the first column is the same in all, for a lean that no token escapes."""
    import numpy as np

    rows = random.standard_normal((count, _HIDDEN)).astype(np.float32)
    rows[:, 0] = 0
    rows *= np.sqrt(0.75) / np.linalg.norm(rows, axis=1, keepdims=True)
    rows[:, 0] = 0.5
    return rows


def _table(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Output matrix: logits of the token that follows, by the one before it, at the length that the last norm gives."""
    import numpy as np

    words = _words()
    length = np.sqrt(_HIDDEN)
    table = np.zeros_like(embeddings)
    chain = (_LINE, *SENTENCE, _END)
    for before, after in (*itertools.pairwise(chain), ("{", "}")):
        own = embeddings[words.index(before)].copy()
        own[0] = 0
        table[words.index(after)] += own * _FOLLOWS / (0.75 * length)
    for logit, leaning in _LEANS.items():
        for word in leaning:
            table[words.index(word), 0] += logit / (0.5 * length)
    return table


def _add_tensors(writer: Any, sliding: list[bool]) -> None:
    import numpy as np

    random = np.random.default_rng(7)

    def weights(name: str, *shape: int) -> None:
        writer.add_tensor(name, (random.standard_normal(shape) * 0.05).astype(np.float32))

    def norm(name: str, size: int, value: float = 1.0) -> None:
        writer.add_tensor(name, np.full(size, value, np.float32))

    rotated = np.full(_GLOBAL_HEAD // 2, 1e30, np.float32)
    rotated[: _GLOBAL_HEAD // 8] = 1
    embeddings = _embeddings(random, len(_words()))
    writer.add_tensor("token_embd.weight", embeddings)
    writer.add_tensor("output.weight", _table(embeddings))
    norm("output_norm.weight", _HIDDEN)
    writer.add_tensor("rope_freqs.weight", rotated)
    for layer, slides in enumerate(sliding):
        block, head = f"blk.{layer}", _SLIDING_HEAD if slides else _GLOBAL_HEAD
        for name, value in (
            ("attn_norm", 1.0),
            ("post_attention_norm", 0.005),
            ("ffn_norm", 1.0),
            ("post_ffw_norm", 0.005),
        ):
            norm(f"{block}.{name}.weight", _HIDDEN, value)
        norm(f"{block}.attn_q_norm.weight", head)
        norm(f"{block}.attn_k_norm.weight", head)
        weights(f"{block}.attn_q.weight", _HEADS * head, _HIDDEN)
        weights(f"{block}.attn_k.weight", head, _HIDDEN)
        weights(f"{block}.attn_v.weight", head, _HIDDEN)
        weights(f"{block}.attn_output.weight", _HIDDEN, _HEADS * head)
        weights(f"{block}.ffn_gate.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_up.weight", _FFN, _HIDDEN)
        weights(f"{block}.ffn_down.weight", _HIDDEN, _FFN)
