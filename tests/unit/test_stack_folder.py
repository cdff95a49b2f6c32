"""The folder of stack files as people leave it: things that are no files, names that are no stacks, no permission."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import main
from infra.errors import SpecError
from infra.stack_folder import StackFolder
from tests.unit.files import endpoint

PLATFORM = (
    "apiVersion: servestack/v1\nkind: Platform\n"
    "gke: {project: my-project, location: us-central1, cluster: {name: dev}}\n"
)
NO_FILES: dict[str, Callable[[Path], None]] = {
    "a folder": lambda path: path.mkdir(),
    "a pipe that nobody writes": os.mkfifo,
    "a link to itself": lambda path: path.symlink_to(path),
    "a link to nothing": lambda path: path.symlink_to("nothing"),
    "a link to an endless device": lambda path: path.symlink_to("/dev/zero"),
}


def validate(folder: Path, capsys: pytest.CaptureFixture[str], *names: str) -> tuple[int, str]:
    code = main(["validate", "--stacks", str(folder), *names])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_never_waited_for(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    NO_FILES[kind](tmp_path / "dev.yaml")
    assert validate(tmp_path, capsys, "dev") == (2, f"{tmp_path}/dev.yaml: not a file, or a link to none.\n")


def test_a_file_without_permission_is_a_bad_file_and_no_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev.yaml").write_text(PLATFORM, encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert validate(tmp_path, capsys, "dev") == (2, f"{tmp_path}/dev.yaml: cannot be read: Permission denied.\n")


def test_a_folder_without_permission_is_not_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(SpecError, match=r"^s: cannot be read: Permission denied\.$"):
        StackFolder(tmp_path, "s").names()


def test_planning_named_stacks_never_lists_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet's folder would be listed again for each of its thousand files."""
    (tmp_path / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "gemma4-e4b-l4.yaml").write_text(endpoint("gemma-4-e4b-it", "l4"), encoding="utf-8")
    monkeypatch.setattr(Path, "iterdir", lambda _: pytest.fail("listed"))
    assert main(["validate", "--stacks", str(tmp_path), "gemma4-e4b-l4"]) == 0


def test_an_empty_folder_is_not_a_valid_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = validate(tmp_path, capsys)
    assert (code, said) == (2, f"{tmp_path}: no stack files. Name their folder with --stacks DIR.\n")


@pytest.mark.parametrize("stray", ["Dev.yaml", "my_stack.yaml", "prod.yml", "a.yaml", "x\n.yaml", "dev²3.yaml"])
def test_a_file_that_could_be_no_stack_is_not_left_out_unseen(
    stray: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
    assert validate(tmp_path, capsys)[0] == 0
    (tmp_path / stray).write_text(PLATFORM, encoding="utf-8")
    code, said = validate(tmp_path, capsys)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"{tmp_path}/{ascii(stray)[1:-1]}: no name of a stack file: ")


def test_a_stray_file_hides_no_other_problem(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "prod.yml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "dev.yaml").write_text(PLATFORM.replace("my-project", "X"), encoding="utf-8")
    code, said = validate(tmp_path, capsys)
    assert (code, said.count("\n")) == (2, 2)


def test_a_file_name_or_path_in_place_of_a_name_is_told_the_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for written in ("dev.yaml", "stacks/dev.yaml"):
        assert validate(tmp_path, capsys, written)[1].endswith(" 2 to 40 long. Write dev.\n")


def test_the_size_limit_is_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for size, code in ((65536, 0), (65537, 2)):
        (tmp_path / "dev.yaml").write_text(PLATFORM + "#" * (size - len(PLATFORM)), encoding="utf-8")
        assert validate(tmp_path, capsys, "dev")[0] == code


def test_a_broken_platform_is_told_once_and_not_once_per_endpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dev.yaml").write_text(PLATFORM.replace("my-project", "X"), encoding="utf-8")
    for name in ("gemma4-e4b-l4", "gemma4-e4b-l4-b"):
        (tmp_path / f"{name}.yaml").write_text(endpoint("gemma-4-e4b-it", "l4", "vllm"), encoding="utf-8")
    code, said = validate(tmp_path, capsys)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"{tmp_path}/dev.yaml:3:16: gke.project: 'X' is not accepted here")
