"""The worked examples of docs/review.md are what the tool says of their files, and a reviewer finds what is asked."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from infra.cli import main

ROOT = Path(__file__).resolve().parents[2]
INPUTS, COMMENTS = "tests/examples/review", ROOT / "docs" / "review"
CASES = ("tool-calls", "longer-context", "quick-fix")


def comment(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(ROOT)
    file = folder / "comment.md"
    sides = [f"{INPUTS}/{case}/{side}" for side in ("before", "after")]
    assert main(["review", *sides, "--markdown", str(file)]) == (1 if case == "quick-fix" else 0)
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_comment_in_the_documents_is_the_tools_own(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    path, made = COMMENTS / f"{case}.md", comment(case, tmp_path, monkeypatch)
    if request.config.getoption("--update-golden"):
        path.write_text(made, encoding="utf-8")
    kept = path.read_text(encoding="utf-8")
    diff = "".join(difflib.unified_diff(kept.splitlines(True), made.splitlines(True), "kept", "made"))
    assert not diff, f"{diff}\nRead it, then: pytest tests/unit/test_review_examples.py --update-golden"


def test_every_example_has_a_document_and_is_named_in_the_page() -> None:
    page = (ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (ROOT / INPUTS).iterdir()) == sorted(CASES)
    for case in CASES:
        assert f"(review/{case}.md)" in page


@pytest.mark.parametrize(
    ("case", "verdict", "said"),
    [
        ("tool-calls", "No danger found; what it costs stays as it is", ["Tool calls come back as such now"]),
        ("longer-context", "Approve only if the 2 dangers below are meant", ["published by RedHatAI", "48,448"]),
        ("quick-fix", "Do not approve: 2 stacks would be refused", ["latest", "does not fit", "no key", "search"]),
    ],
)
def test_the_verdict_and_its_reasons_come_first(
    case: str, verdict: str, said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = comment(case, tmp_path, monkeypatch).splitlines()
    assert verdict in lines[1]
    text = "\n".join(lines if case == "tool-calls" else lines[:12])
    assert all(word in text for word in said)


def test_the_page_is_the_same_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    files = [tmp_path / name for name in ("one.html", "two.html")]
    for file in files:
        main(["review", *(f"{INPUTS}/quick-fix/{side}" for side in ("before", "after")), "--html", str(file)])
    assert files[0].read_bytes() == files[1].read_bytes()
