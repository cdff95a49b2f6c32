"""A picture and a sound, made here: nothing is fetched, and no file is needed. Pure."""

from __future__ import annotations

import base64
import struct
import zlib

_SIDE = 64  # pixels; vision towers refuse or pad much smaller ones
_RATE, _SECONDS = 16_000, 1


def png() -> bytes:
    """A red square, 64 x 64, 8 bits per channel (PNG specification, 3rd edition)."""
    rows = b"".join(b"\0" + b"\xe0\x20\x20" * _SIDE for _ in range(_SIDE))
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def wav() -> bytes:
    """A second of a quiet tone: 16 bits, one channel, 16 kHz (RIFF WAVE)."""
    period = _RATE // 400
    samples = b"".join(
        struct.pack("<h", 1000 if place % period < period // 2 else -1000) for place in range(_RATE * _SECONDS)
    )
    form = struct.pack("<HHIIHH", 1, 1, _RATE, _RATE * 2, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


def picture_address() -> str:
    """The picture as a `data:` address."""
    return f"data:image/png;base64,{base64.b64encode(png()).decode()}"


def sound_text() -> str:
    """The sound in base64."""
    return base64.b64encode(wav()).decode()


def long_prompt(tokens: int) -> str:
    """A text of more tokens than so many, whatever the tokenizer: every word is at least one."""
    words = ("river", "stone", "green", "seven", "under", "music", "paper", "cloud")
    return " ".join(words[place % len(words)] for place in range(tokens))
