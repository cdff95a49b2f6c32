"""A Gemma 4 model of some ten thousand weights, made in a moment: it exercises a real server, and says one sentence.

The layers are random but seeded, and next to nothing of them reaches the end: the output matrix is a table of which
token follows which, so that a turn, a call under a grammar and a JSON string end. It tests a server's surface, not what
a model can do.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from infra.local.tiny_gguf import TinyGguf

_HIDDEN = 64
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
    embeddings, outputs = _table()
    model = TinyGguf(
        name="",
        words=_words(),
        control=_CONTROL,
        markers=_MARKS,
        template=_TEMPLATE,
        embeddings=embeddings,
        outputs=outputs,
        heard=0.01,
        random=np.random.default_rng(7),
    )
    model.write(path)


def _words() -> list[str]:
    plain = (*(chr(code) for code in range(33, 127)), *REPLY, *THOUGHTS)
    return [*_TOKENS, *(f"<0x{byte:02X}>" for byte in range(256)), "<|think|>", *_MARKS, *plain]


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
