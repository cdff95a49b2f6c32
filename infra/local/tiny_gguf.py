"""The file of a tiny Gemma 4: layers that are hardly heard around a given vocabulary and table of what follows what.

Shape and tokenizer are what llama.cpp b11434 asks of the architecture `gemma4`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

_LAYERS, _HEADS, _FFN = 6, 2, 128
_SLIDING_HEAD, _GLOBAL_HEAD, _WINDOW, _CONTEXT = 32, 64, 128, 131072


@dataclass(frozen=True)
class TinyGguf:
    """What makes one tiny model differ from another.

    Attributes:
        name: `general.name`; empty for none.
        words: the vocabulary, with `<pad>`, `<bos>`, `<unk>`, `<turn|>` and the 256 bytes `<0x00>` to `<0xFF>`.
        control: words that are never text.
        markers: words that are text and one token, as the parser of tool calls needs them.
        template: chat template.
        embeddings: a row per word; its width is that of the model.
        outputs: a row per word: the output matrix.
        heard: how much of each layer reaches the end, as the weight of the norms behind it.
        random: source of the layers' weights.
    """

    name: str
    words: list[str]
    control: tuple[str, ...]
    markers: tuple[str, ...]
    template: str
    embeddings: NDArray[np.float32]
    outputs: NDArray[np.float32]
    heard: float
    random: np.random.Generator

    def write(self, path: Path) -> None:
        """Write the file."""
        import gguf

        writer = gguf.GGUFWriter(path, "gemma4")
        sliding = [layer % 6 != 5 for layer in range(_LAYERS)]
        self._add_shape(writer, sliding)
        self._add_tokenizer(writer)
        self._add_tensors(writer, sliding)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    @property
    def _hidden(self) -> int:
        return int(self.embeddings.shape[1])

    def _add_shape(self, writer: Any, sliding: list[bool]) -> None:
        if self.name:
            writer.add_name(self.name)
        writer.add_block_count(_LAYERS)
        writer.add_context_length(_CONTEXT)
        writer.add_embedding_length(self._hidden)
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

    def _add_tokenizer(self, writer: Any) -> None:
        import gguf

        words = self.words
        kinds = [gguf.TokenType.NORMAL] * len(words)
        for word in self.control:
            kinds[words.index(word)] = gguf.TokenType.CONTROL
        for word in self.markers:
            kinds[words.index(word)] = gguf.TokenType.USER_DEFINED
        for byte in range(256):
            kinds[words.index(f"<0x{byte:02X}>")] = gguf.TokenType.BYTE
        writer.add_tokenizer_model("gemma4")
        writer.add_token_list(words)
        writer.add_token_scores([0.0] * len(words))
        writer.add_token_types(kinds)
        writer.add_token_merges(["t h", "h e", "i n", "a n"])
        writer.add_bos_token_id(words.index("<bos>"))
        writer.add_eos_token_id(words.index("<turn|>"))
        writer.add_unk_token_id(words.index("<unk>"))
        writer.add_pad_token_id(words.index("<pad>"))
        writer.add_chat_template(self.template)

    def _add_tensors(self, writer: Any, sliding: list[bool]) -> None:
        import numpy as np

        hidden = self._hidden

        def weights(name: str, *shape: int) -> None:
            writer.add_tensor(name, (self.random.standard_normal(shape) * 0.05).astype(np.float32))

        def norm(name: str, size: int, value: float = 1.0) -> None:
            writer.add_tensor(name, np.full(size, value, np.float32))

        rotated = np.full(_GLOBAL_HEAD // 2, 1e30, np.float32)
        rotated[: _GLOBAL_HEAD // 8] = 1
        writer.add_tensor("token_embd.weight", self.embeddings)
        writer.add_tensor("output.weight", self.outputs)
        norm("output_norm.weight", hidden)
        writer.add_tensor("rope_freqs.weight", rotated)
        for layer, slides in enumerate(sliding):
            block, head = f"blk.{layer}", _SLIDING_HEAD if slides else _GLOBAL_HEAD
            for name, value in (
                ("attn_norm", 1.0),
                ("post_attention_norm", self.heard),
                ("ffn_norm", 1.0),
                ("post_ffw_norm", self.heard),
            ):
                norm(f"{block}.{name}.weight", hidden, value)
            norm(f"{block}.attn_q_norm.weight", head)
            norm(f"{block}.attn_k_norm.weight", head)
            weights(f"{block}.attn_q.weight", _HEADS * head, hidden)
            weights(f"{block}.attn_k.weight", head, hidden)
            weights(f"{block}.attn_v.weight", head, hidden)
            weights(f"{block}.attn_output.weight", hidden, _HEADS * head)
            weights(f"{block}.ffn_gate.weight", _FFN, hidden)
            weights(f"{block}.ffn_up.weight", _FFN, hidden)
            weights(f"{block}.ffn_down.weight", hidden, _FFN)
