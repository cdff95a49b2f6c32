"""Every example file: what is accepted, and the exact words with which everything else is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.cli import main

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PLATFORMS = {
    "addon",
    "asia",
    "autopilot",
    "bare",
    "box",
    "bare-unwatched",
    "cloud",
    "dev",
    "empty",
    "keda",
    "lab",
    "lacking",
    "locked",
    "laptop",
    "mac",
    "unwatched",
    "watched",
}


def cases(folder: str) -> list[str]:
    return sorted(path.stem for path in (EXAMPLES / folder).glob("*.yaml") if path.stem not in PLATFORMS)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture(autouse=True)
def _in_the_project(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)


@pytest.mark.parametrize("folder", ["invalid", "refused"])
def test_every_example_has_its_message_and_every_message_an_example(folder: str) -> None:
    assert {path.stem for path in (EXAMPLES / folder).glob("*.txt")} == set(cases(folder))


@pytest.mark.parametrize(
    ("folder", "exit_code", "name"),
    [("invalid", 2, name) for name in cases("invalid")] + [("refused", 3, name) for name in cases("refused")],
)
def test_a_refused_file_gets_its_exact_message(
    folder: str, exit_code: int, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("validate", "plan", "render", "status"):
        code, out, err = run(capsys, verb, "--stacks", f"tests/examples/{folder}", name)
        if verb == "validate" and os.environ.get("UPDATE_MESSAGES"):
            (EXAMPLES / folder / f"{name}.txt").write_text(err, encoding="utf-8")
        assert err == (EXAMPLES / folder / f"{name}.txt").read_text(encoding="utf-8")
        assert (code, out) == (exit_code, "")
        assert "Traceback" not in err


@pytest.mark.parametrize("name", cases("valid"))
def test_a_valid_example_is_planned(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "plan", "--stacks", "tests/examples/valid", name)
    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80


@pytest.mark.parametrize("name", cases("planned"))
def test_what_is_only_planned_is_planned_and_not_rendered(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "plan", "--stacks", "tests/examples/planned", name)
    assert (code, err) == (0, "")
    assert max(len(line) for line in out.splitlines()) <= 80
    assert "  deploy      not by this version: " in out
    for verb in ("render", "status"):
        code, out, err = run(capsys, verb, "--stacks", "tests/examples/planned", name)
        assert (code, out) == (3, "")
        assert err.startswith(f"tests/examples/planned/{name}.yaml:1:1: this version plans ")


@pytest.mark.parametrize("name", ["../dev", "/etc/passwd", "a/b", "Dev", "-x9", "a", "x" * 41, "dev\n", "dev\x00", "…"])
def test_a_path_or_other_nonsense_as_a_name_is_refused_before_any_file_is_read(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, "validate", "--", name)
    assert (code, out) == (2, "")
    assert "is not a stack name" in err


def test_a_missing_stack_names_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "plan", "gemma4-31b-h10")
    assert code == 2
    assert "stacks/gemma4-31b-h10.yaml does not exist. Did you mean 'gemma4-31b-h100'?" in err


def test_a_ten_megabyte_file_is_refused_by_its_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "big.yaml").write_text("a: [" + "1, " * 3_500_000 + "1]\n", encoding="utf-8")
    code, _, err = run(capsys, "validate", "--stacks", str(tmp_path), "big")
    assert code == 2
    assert "big.yaml: 10,500,007 bytes; a stack file has at most 65,536." in err


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: \xed\xa0\x80", os.urandom(2000) + b"\xff"])
def test_bytes_that_are_no_text_are_refused(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "binary.yaml").write_bytes(content)
    code, _, err = run(capsys, "validate", "--stacks", str(tmp_path), "binary")
    assert code == 2
    assert "not UTF-8 text" in err


@pytest.mark.parametrize("verb", [["validate"], ["plan", "--all"], ["plan", "--all", "--json"]])
@pytest.mark.parametrize(("folder", "exit_code"), [("invalid", 2), ("refused", 3)])
def test_all_errors_of_all_files_come_in_one_run(
    verb: list[str], folder: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *verb, "--stacks", f"tests/examples/{folder}")
    assert (code, out) == (exit_code, "")
    for name in cases(folder):
        assert f"tests/examples/{folder}/{name}.yaml" in err
