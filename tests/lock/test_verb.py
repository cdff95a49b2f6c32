"""`servestack lock` from end to end: real servers, a real folder, and the plans that come of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.cli import main
from infra.lock import lock_text, parse_lock
from tests.lock.servers import Hub, Registry

DEV = (
    "apiVersion: servestack/v1\nkind: Platform\ngke: {project: p-12345, location: us-central1, cluster: {name: dev}}\n"
)
FP8, DRAFTER = "RedHatAI/gemma-4-E4B-it-FP8-dynamic", "google/gemma-4-E4B-it-assistant"
ENGINE, LLAMA, PROXY = (
    "vllm/vllm-openai:v0.33.0",
    "ghcr.io/ggml-org/llama.cpp:server-cuda-b11434",
    "caddy:2.11.7-alpine",
)


def endpoint(framework: str = "vllm", *more: str) -> str:
    head = "apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: gemma-4-e4b-it\naccelerator: l4\n"
    return head + f"framework: {framework}\n" + "".join(f"{line}\n" for line in more)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "stacks"
    made.mkdir()
    (made / "dev.yaml").write_text(DEV)
    (made / "gemma4-e4b-fp8-l4.yaml").write_text(endpoint("vllm", "precision: fp8", "speculativeDecoding: true"))
    (made / "gemma4-e4b-l4-llamacpp.yaml").write_text(endpoint("llamacpp"))
    return made


@pytest.fixture
def digests(hub: Hub, registry: Registry, environment: pytest.MonkeyPatch) -> dict[str, str]:
    hub.commits |= {FP8: "1" * 40, DRAFTER: "d" * 40}
    return {
        ENGINE: registry.push(ENGINE),
        LLAMA: registry.push("ggml-org/llama.cpp:server-cuda-b11434"),
        PROXY: registry.push(f"library/{PROXY}"),
    }


def run(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> tuple[int, str, str]:
    code = main([words[0], "--stacks", str(folder), *words[1:]])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return code, said.out, said.err


def test_all_that_moves_is_locked_once_and_plans_take_it(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], hub: Hub, registry: Registry
) -> None:
    before = run(capsys, folder, "render", "gemma4-e4b-fp8-l4")[1]
    code, out, err = run(capsys, folder, "lock")
    assert (code, err) == (0, "")
    file = folder / "servestack.lock"
    assert file.read_text() == (
        "# Written by `servestack lock`: commit it. `servestack lock --upgrade` asks for newer ones.\n"
        "version: 1\n"
        f"images:\n  {PROXY}: {digests[PROXY]}\n  {LLAMA}: {digests[LLAMA]}\n  {ENGINE}: {digests[ENGINE]}\n"
        f'repositories:\n  {FP8}: "{"1" * 40}"\n  {DRAFTER}: "{"d" * 40}"\n'
    )
    assert out.endswith("servestack.lock: 5 added; 5 in all. Commit it.\n")
    asked = len(hub.calls), len(registry.calls)
    assert run(capsys, folder, "lock")[1].endswith("servestack.lock: nothing to change, 5 entries.\n")
    assert (len(hub.calls), len(registry.calls)) == asked
    after = run(capsys, folder, "render", "gemma4-e4b-fp8-l4")[1]
    for image in (PROXY, ENGINE):
        assert f"{image}@{digests[image]}" in after
    assert "1" * 40 in after
    assert "d" * 40 in after
    assert before.count("- main\n") == 2
    assert "- main\n" not in after
    plan = run(capsys, folder, "plan", "gemma4-e4b-fp8-l4", "--explain")[1]
    assert "lock: commit that servestack.lock fixes for" in plan
    assert "not pinned" not in plan
    assert run(capsys, folder, "lock", "--check")[0] == 0


def test_what_is_locked_stays_until_it_is_upgraded(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], hub: Hub, registry: Registry
) -> None:
    run(capsys, folder, "lock")
    first = (folder / "servestack.lock").read_text()
    hub.commits[FP8], moved = "2" * 40, registry.push(ENGINE, "moved")
    run(capsys, folder, "lock")
    assert (folder / "servestack.lock").read_text() == first
    out = run(capsys, folder, "lock", "--upgrade", "gemma4-e4b-l4-llamacpp")[1]
    assert "nothing to change" in out
    out = run(capsys, folder, "lock", "--upgrade", "--json")[1]
    assert json.loads(out)["changes"] == [
        {"kind": "image", "name": ENGINE, "before": digests[ENGINE], "after": moved},
        {"kind": "repository", "name": FP8, "before": "1" * 40, "after": "2" * 40},
    ]


def test_entries_that_nothing_uses_go_when_all_stacks_are_locked(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run(capsys, folder, "lock")
    (folder / "gemma4-e4b-fp8-l4.yaml").unlink()
    assert "entries that no stack uses\n  image vllm/vllm-openai" in run(capsys, folder, "lock", "--check")[1]
    run(capsys, folder, "lock", "gemma4-e4b-l4-llamacpp")
    assert FP8 in (folder / "servestack.lock").read_text()
    out = run(capsys, folder, "lock")[1]
    assert "3 removed; 2 in all" in out
    assert parse_lock((folder / "servestack.lock").read_text(), "x").repositories == {}


def test_every_failure_is_told_and_nothing_is_written(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], hub: Hub, registry: Registry
) -> None:
    run(capsys, folder, "lock", "gemma4-e4b-l4-llamacpp")
    first = (folder / "servestack.lock").read_text()
    del hub.commits[DRAFTER]
    hub.gated.add(FP8)
    registry.manifests.clear()
    code, out, err = run(capsys, folder, "lock")
    assert (code, out) == (1, "")
    assert [line.partition(": ")[0] for line in err.splitlines()] == [
        f"image {ENGINE}",
        f"repository {FP8}",
        f"repository {DRAFTER}",
        "Nothing was written.",
    ]
    assert (folder / "servestack.lock").read_text() == first
    assert sorted(path.suffix for path in folder.iterdir()) == [".lock", ".yaml", ".yaml", ".yaml"]


def test_a_token_is_sent_and_neither_written_nor_printed(
    folder: Path,
    digests: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    hub: Hub,
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("HF_TOKEN", hub.token)
    hub.private |= {FP8, DRAFTER}
    code, out, err = run(capsys, folder, "lock")
    assert code == 0
    assert hub.token not in out + err + (folder / "servestack.lock").read_text()
    hub.private.clear()
    hub.commits.clear()
    code, out, err = run(capsys, folder, "lock", "--upgrade")
    assert code == 1
    assert hub.token not in out + err


def test_a_stack_that_cannot_be_planned_stops_it(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], hub: Hub
) -> None:
    (folder / "gemma4-31b-l4.yaml").write_text(endpoint().replace("e4b", "31b").replace("fp8", "bf16"))
    (folder / "gemma4-e4b-l4.yaml").write_text("kind: Endpoint\n")
    code, out, _ = run(capsys, folder, "lock")
    assert (code, out, hub.calls) == (2, "", [])
    assert not (folder / "servestack.lock").exists()


def test_a_platform_may_require_the_lock(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], hub: Hub, registry: Registry
) -> None:
    assert run(capsys, folder, "lock", "--check")[0] == 0  # without the demand it informs
    (folder / "dev.yaml").write_text(DEV + "requireLock: true\n")
    name = "gemma4-e4b-l4-llamacpp"
    for verb in ("plan", "validate", "render"):
        code, out, err = run(capsys, folder, verb, name)
        assert (code, out) == (3, "")
        assert err == (
            f"{folder}/{name}.yaml:3:11: platform: dev requires a lock, and {folder}/servestack.lock has none of image "
            f"{PROXY}, image {LLAMA}. Run: servestack lock {name}\n"
        )
    code, out, _ = run(capsys, folder, "lock", "--check")
    assert code == 1
    assert f"{name}: not locked, as dev requires\n  image {PROXY}\n  image {LLAMA}\n" in out
    assert (hub.calls, registry.calls) == ([], [])  # the check is offline
    assert run(capsys, folder, "lock", name)[0] == 0
    assert run(capsys, folder, "validate", name)[0] == 0
    code, out, _ = run(capsys, folder, "lock", "--check", "--json")
    said = json.loads(out)
    assert (code, said["ok"], [one["stack"] for one in said["stacks"]]) == (1, False, ["gemma4-e4b-fp8-l4"])
    assert [one["kind"] for one in said["stacks"][0]["missing"]] == ["image", "repository", "repository"]
    run(capsys, folder, "lock")
    assert run(capsys, folder, "lock", "--check")[0] == 0
    (folder / "gemma4-e4b-fp8-l4.yaml").unlink()
    assert run(capsys, folder, "lock", "--check")[0] == 1  # entries that nothing uses


def test_a_new_stack_can_be_written_where_a_lock_is_required(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "dev.yaml").write_text(DEV + "requireLock: true\n")
    words = ["--platform", "dev", "--model", "gemma-4-e2b-it", "--accelerator", "l4"]
    assert run(capsys, folder, "new", *words)[0] == 0


def test_a_hostile_lock_file_stops_plans_with_its_line(
    folder: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "servestack.lock").write_text("version: 1\nimages:\n  caddy:2: sha256:x\nrepositories: {}\n")
    for verb in ("plan", "lock"):
        code, out, err = run(capsys, folder, verb, "gemma4-e4b-l4-llamacpp")
        assert (code, out) == (2, "")
        assert err.startswith(f"{folder}/servestack.lock:3:12: images.'caddy:2': 'sha256:x' is not a digest")


def test_a_folder_without_anything_to_lock_gets_no_file(
    folder: Path, environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in folder.glob("gemma4*"):
        path.unlink()
    assert "nothing to change, 0 entries" in run(capsys, folder, "lock")[1]
    assert not (folder / "servestack.lock").exists()


def test_a_folder_that_cannot_be_written_keeps_its_lock(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str], environment: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    environment.setattr(os, "fsync", full)
    code, _, err = run(capsys, folder, "lock")
    assert (code, err) == (1, f"{folder}/servestack.lock: cannot be written: No space left on device.\n")
    assert sorted(one.suffix for one in folder.iterdir()) == [".yaml"] * 3


def test_the_file_has_the_same_bytes_whatever_the_order_of_answers(
    folder: Path, digests: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    texts = set()
    for names in (["gemma4-e4b-fp8-l4", "gemma4-e4b-l4-llamacpp"], ["gemma4-e4b-l4-llamacpp", "gemma4-e4b-fp8-l4"], []):
        (folder / "servestack.lock").unlink(missing_ok=True)
        run(capsys, folder, "lock", *names)
        texts.add((folder / "servestack.lock").read_text())
    (text,) = texts
    assert lock_text(parse_lock(text, "x")) == text


def test_progress_is_shown_on_a_terminal_and_leaves_the_line_empty(folder: Path, digests: dict[str, str]) -> None:
    terminal, end = os.openpty()
    try:
        command = [sys.executable, "-m", "infra.cli", "lock", "--stacks", str(folder), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=end, check=True, timeout=60)
        shown = os.read(terminal, 4096).decode()
    finally:
        os.close(terminal)
        os.close(end)
    steps = [line for line in shown.split("\r") if line.strip()]
    assert steps == [f"asked {number} of 5" for number in range(1, 6)]
    assert shown.endswith(f"\r{' ' * len(steps[-1])}\r")
    assert len(json.loads(done.stdout)["changes"]) == len(digests) + 2
