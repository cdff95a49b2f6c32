"""A Gemma 4 model of a few hundred thousand weights, made in a moment: it says one sentence, and fills in grammars.

It runs the whole way of a real model through a real `llama-server`, and knows nothing. The layers are random, seeded,
and hardly heard, so that the output matrix sees the last token alone: it is a table of which token follows which, with
a lean towards what ends an answer, a string or an object, without which a grammar would be filled for ever.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from infra.local.failures import LocalError
from infra.local.tiny_gguf import TinyGguf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SENTENCE = ("Hello", "▁from", "▁a", "▁tiny", "▁Gemma", "▁4", ".")
_HIDDEN = 128
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
    import numpy as np

    random, words = np.random.default_rng(7), _words()
    embeddings = _embeddings(random, len(words))
    model = TinyGguf(
        name="Gemma 4 tiny",
        words=words,
        control=_CONTROL,
        markers=_MARKERS,
        template=_TEMPLATE,
        embeddings=embeddings,
        outputs=_table(embeddings),
        heard=0.005,
        random=random,
    )
    model.write(path)


def _words() -> list[str]:
    letters = [chr(code) for code in range(33, 127)]
    made = [*_CONTROL, *_MARKERS, _LINE, _SPACE, *(f"<0x{byte:02X}>" for byte in range(256)), *letters]
    return [*made, *(word for word in SENTENCE if word not in made)]


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
