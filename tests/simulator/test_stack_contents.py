"""What the simulator reads of stack files before they are checked: their own folder alone, never with a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.binaries import REPOSITORY
from simulator.stack_contents import StackContents


@pytest.mark.parametrize(
    ("stack", "kind"),
    [
        ("dev", "platform"),
        ("lab", "platform"),
        ("laptop", "machine"),
        ("studio", "machine"),
        ("gemma4-31b-h100", "endpoint"),
        ("gemma4-tiny-local", "machine"),
        ("gemma4-e4b-apple-64gb-mlx", "machine"),
        ("gemma4-e2b-l4-keras", "job"),
        ("gemma4-31b-vertex", "managed"),
        ("gemma4-31b-gemini", "managed"),
    ],
)
def test_a_stack_is_brought_up_as_what_it_is(stack: str, kind: str) -> None:
    assert StackContents(REPOSITORY / "stacks").kind(stack) == kind


def test_a_platform_that_is_a_path_is_never_read(tmp_path: Path) -> None:
    (tmp_path / "outside.yaml").write_text("local: {}\nkind: Platform\n", encoding="utf-8")
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    (stacks / "one.yaml").write_text("kind: Endpoint\nplatform: ../outside\n", encoding="utf-8")
    contents = StackContents(stacks)
    assert contents.content("../outside") == {}
    assert contents.kind("one") == "endpoint"


@pytest.mark.parametrize("text", ["", "[]", "a: [", "\x00", "x: 1\n---\ny: 2\n"])
def test_a_file_that_is_no_mapping_is_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    assert StackContents(tmp_path).content("one") == {}
    assert StackContents(tmp_path).content("nowhere") == {}
