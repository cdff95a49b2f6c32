"""`servestack render --all`: a folder for GitOps that is the same every time, replaced whole, and nobody else's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from infra.cli import main
from infra.rendered_tree import HEADER, MARKER, TREE, object_files, tree
from infra.tree_folder import TreeFolder
from tests.unit.files import PLATFORM, endpoint

ROOT = Path(__file__).resolve().parents[2]
E4B = endpoint("gemma-4-e4b-it", "l4")


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    (folder / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
    (folder / "gemma4-e4b-l4-one.yaml").write_text(E4B, encoding="utf-8")
    (folder / "gemma4-e4b-l4-two.yaml").write_text(E4B, encoding="utf-8")
    return folder


def run(stacks: Path, output: Path, *more: str) -> int:
    return main(["render", "--stacks", str(stacks), "--all", "--output", str(output), *more])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def output(stacks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "deep" / "rendered"
    assert run(stacks, folder) == 0
    capsys.readouterr()
    return folder


def test_every_shipped_stack_has_a_folder_with_its_objects_and_no_secret(tmp_path: Path) -> None:
    output = tmp_path / "rendered"
    assert run(ROOT / "stacks", output) == 0
    stacks = {path.stem for path in (ROOT / "stacks").glob("*.yaml")}
    assert {path.name for path in output.iterdir()} == stacks | {MARKER}
    kinds = set()
    for file in output.rglob("*.yaml"):
        found = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
        assert len(found) == 1, file
        assert file.stem == f"{found[0]['kind'].lower()}-{found[0]['metadata']['name']}"
        kinds.add(found[0]["kind"])
    assert {"Deployment", "LeaderWorkerSet", "Job", "NetworkPolicy"} <= kinds
    assert "Secret" not in kinds
    assert not (output / "gemma4-e4b-l4-lab" / "render.txt").exists(), "a cluster of ours has its nodes"
    for name in ("gemma4-e4b-l4", "gemma4-e2b-l4-keras"):
        other = (output / name / "render.txt").read_text(encoding="utf-8")
        made = [one for one in yaml.safe_load_all(other) if one]
        assert "gcp:container/nodePool:NodePool" in {one["type"] for one in made}, "what the pods wait for is told"
    for name in ("dev", "gemma4-31b-vertex", "gemma4-31b-gemini", "gemma4-e2b-local", "gemma4-e4b-apple-64gb-mlx"):
        assert (output / name / "render.txt").is_file()


def test_the_same_bytes_in_another_process_with_another_seed(output: Path, stacks: Path, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        again = tmp_path / f"again{seed}"
        command = [
            sys.executable,
            "-m",
            "infra.cli",
            "render",
            "--stacks",
            str(stacks),
            "--all",
            "--output",
            str(again),
        ]
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)
        assert contents(again) == contents(output)


def test_a_second_run_writes_nothing(output: Path, stacks: Path) -> None:
    before = {path: path.stat().st_ino for path in output.rglob("*")}
    assert run(stacks, output) == 0
    assert run(stacks, output, "--check") == 0
    assert {path: path.stat().st_ino for path in output.rglob("*")} == before


@pytest.mark.parametrize("change", ["edit", "new", "gone", "hand", "lost", "left", "all lost"])
def test_a_check_names_what_is_stale_and_changes_nothing(
    change: str, output: Path, stacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = output / "gemma4-e4b-l4-one" / "service-gemma4-e4b-l4-one.yaml"
    if change == "edit":
        (stacks / "gemma4-e4b-l4-one.yaml").write_text(E4B + "contextLength: 8192\n", encoding="utf-8")
        expected = "stale: gemma4-e4b-l4-one/deployment-gemma4-e4b-l4-one.yaml"
    elif change == "new":
        (stacks / "gemma4-e4b-l4-three.yaml").write_text(E4B, encoding="utf-8")
        expected = "missing: gemma4-e4b-l4-three/deployment-gemma4-e4b-l4-three.yaml"
    elif change == "gone":
        (stacks / "gemma4-e4b-l4-two.yaml").unlink()
        expected = "extra: gemma4-e4b-l4-two/deployment-gemma4-e4b-l4-two.yaml"
    elif change == "hand":
        service.write_text(service.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
        expected = "stale: gemma4-e4b-l4-one/service-gemma4-e4b-l4-one.yaml"
    elif change == "lost":
        service.unlink()
        expected = "missing: gemma4-e4b-l4-one/service-gemma4-e4b-l4-one.yaml"
    elif change == "left":
        (output / "gemma4-e4b-l4-one" / "job-old.yaml").write_text(HEADER + "kind: Job\n", encoding="utf-8")
        expected = "extra: gemma4-e4b-l4-one/job-old.yaml"
    else:
        for path in sorted(output.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        output.rmdir()
        expected = f"missing: {MARKER}"
    before = contents(output)
    assert run(stacks, output, "--check") == 1
    assert expected in capsys.readouterr().out.splitlines()
    assert contents(output) == before

    assert run(stacks, output) == 0
    assert run(stacks, output, "--check") == 0
    assert (output / "gemma4-e4b-l4-two").exists() == (change != "gone")
    assert [path.name for path in output.parent.iterdir()] == [output.name], "nothing is left beside it"


def test_a_stack_that_is_refused_leaves_the_tree_as_it_is(output: Path, stacks: Path) -> None:
    before = contents(output)
    (stacks / "gemma4-e4b-l4-one.yaml").write_text(E4B + "contextLength: 131072\nconcurrency: 500\n", encoding="utf-8")
    assert run(stacks, output) == 3
    (stacks / "gemma4-e4b-l4-one.yaml").write_text("kind: Nothing\n", encoding="utf-8")
    assert run(stacks, output) == 2
    assert contents(output) == before


@pytest.mark.parametrize(
    "file", ["README.md", "gemma4-e4b-l4-one/kustomization.yaml", ".git/HEAD", "gemma4-e4b-l4-one/link", "links"]
)
@pytest.mark.parametrize("more", [[], ["--check"]])
def test_a_folder_that_holds_anything_else_is_refused(
    file: str, more: list[str], output: Path, stacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = output / file
    if "link" in file:
        foreign.symlink_to(stacks)
    else:
        foreign.parent.mkdir(exist_ok=True)
        foreign.write_text("mine\n", encoding="utf-8")
    (stacks / "gemma4-e4b-l4-two.yaml").unlink()
    before = contents(output)
    assert run(stacks, output, *more) == 1
    assert file in capsys.readouterr().err
    assert contents(output) == before


def test_a_folder_without_its_marker_or_of_another_version_is_refused(output: Path, stacks: Path) -> None:
    (output / MARKER).write_text("servestack rendered tree, version 99\n", encoding="utf-8")
    assert run(stacks, output) == 1
    (output / MARKER).unlink()
    assert run(stacks, output) == 1
    assert run(stacks, stacks) == 1
    assert (stacks / "gemma4-e4b-l4-one.yaml").read_text(encoding="utf-8") == E4B


def test_a_link_or_a_file_in_place_of_the_folder_is_refused(stacks: Path, tmp_path: Path, output: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(output)
    (stacks / "gemma4-e4b-l4-two.yaml").unlink()
    assert run(stacks, link) == 1
    assert (output / "gemma4-e4b-l4-two").is_dir()
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert run(stacks, tmp_path / "file") == 1
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_is_written(stacks: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(stacks, tmp_path / "empty") == 0
    assert run(stacks, tmp_path / "empty", "--check") == 0


KILLED = """
import os, signal, sys
from infra.rendered_tree import TREE
from infra.tree_folder import TreeFolder
class Half(dict):
    def items(self):
        yield "gemma4-e4b-l4-one/service-gemma4-e4b-l4-one.yaml", "half"
        os.kill(os.getpid(), signal.SIGKILL)
TreeFolder(sys.argv[1], TREE).replace(Half())
"""


def test_a_killed_write_leaves_the_old_tree_and_the_next_one_tidies_up(output: Path, stacks: Path) -> None:
    before = contents(output)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(output)], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert contents(output) == before
    assert len(list(output.parent.iterdir())) == 2, "the half-written tree is beside it"
    (stacks / "gemma4-e4b-l4-two.yaml").unlink()
    assert run(stacks, output) == 0
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_a_system_that_cannot_swap_names_replaces_the_tree_too(
    output: Path, stacks: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.tree_folder._exchange", lambda _one, _other: False)
    (stacks / "gemma4-e4b-l4-two.yaml").unlink()
    assert run(stacks, output) == 0
    assert run(stacks, output, "--check") == 0
    assert [path.name for path in output.parent.iterdir()] == [output.name]


def test_the_order_of_the_stacks_changes_nothing() -> None:
    from infra.pipeline import build
    from tests.unit.files import Files

    files = Files(gemma4_e4b_l4_one=E4B, gemma4_e4b_l4_two=E4B)
    built = [build(name, files) for name in files.names()]
    assert list(tree(built).items()) == list(tree(reversed(built)).items())


def test_objects_of_one_kind_and_name_have_files_of_their_own() -> None:
    meta = {"name": "system:a_b", "namespace": "x"}
    assert object_files(
        [
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}},
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "x"}},
            {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "a"}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": meta},
        ]
    ) == [
        "service.core-a.yaml",
        "service.core-x-a.yaml",
        "service.serving.knative.dev-a.yaml",
        "role-system-a-b.yaml",
    ]


@pytest.mark.parametrize("arguments", [["one", "--check"], ["one", "--output", "x"], ["--all"], ["--all", "--check"]])
def test_options_that_say_nothing_together_are_refused(
    arguments: list[str], stacks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "--stacks", str(stacks), *arguments]) == 2
    assert "--output" in capsys.readouterr().err


def test_a_tree_that_cannot_be_written_is_said_in_one_line(
    stacks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert run(stacks, tmp_path / "file" / "rendered") == 1
    assert "cannot be" in capsys.readouterr().err
    assert TreeFolder(str(tmp_path / "none"), TREE).read() == {}
