"""A change of the lock file alone is reviewed through the stacks that use what it fixes. Real git."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.lock import Lock, lock_text
from tests.unit.files import PLATFORM, endpoint
from tests.unit.review_repository import Repository

NAME, OTHER = "gemma4-e4b-l4", "gemma4-31b-h100"
ENGINE, PROXY = "vllm/vllm-openai:v0.33.0", "caddy:2.11.7-alpine"
A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
COMMITS = "1" * 40, "2" * 40
WEIGHTS = "RedHatAI/gemma-4-31B-it-FP8-dynamic"

LONG = ("contextLength: 65536", "concurrency: 2")  # which take the weights that the catalogue does not fix


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(
        dev=PLATFORM,
        gemma4_e4b_l4=endpoint("gemma-4-e4b-it", "l4", "vllm"),
        gemma4_31b_h100=endpoint(
            "gemma-4-31b-it", "h100", "vllm", "capacity: [spot]", "contextLength: 65536", "concurrency: 2"
        ),
    )
    return made


def lock(repository: Repository, images: dict[str, str], repositories: dict[str, str]) -> None:
    (repository.stacks / "servestack.lock").write_text(lock_text(Lock(images, repositories)), encoding="utf-8")
    repository.commit()


def reviewed(repository: Repository, capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:  # type: ignore[type-arg]
    capsys.readouterr()
    assert repository.review("--json") == code
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_a_moved_digest_is_a_danger_for_every_stack_that_runs_the_image(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(repository, {ENGINE: A}, {})
    found = reviewed(repository, capsys)
    assert found["locks"] == [f"image {ENGINE}: not locked -> {A[:19]}"]
    assert [one["dangers"] for one in found["stacks"]] == [[], []]
    lock(repository, {ENGINE: B}, {})
    found = reviewed(repository, capsys)
    assert [one["stack"] for one in found["stacks"]] == [OTHER, NAME]
    for one in found["stacks"]:
        assert one["locks"] == [f"image {ENGINE}: {A[:19]} -> {B[:19]}"]
        (danger,) = one["dangers"]
        assert danger["kind"] == "other-image"
        assert "has other content than before under the same tag" in danger["sentence"]
    lock(repository, {}, {})
    assert [one["kind"] for stack in reviewed(repository, capsys)["stacks"] for one in stack["dangers"]] == [
        "moving-image"
    ] * 2


def test_a_moved_commit_is_a_danger_for_those_that_load_it_and_no_others(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    lock(repository, {}, {WEIGHTS: COMMITS[0]})
    lock(repository, {}, {WEIGHTS: COMMITS[1]})
    (one,) = reviewed(repository, capsys)["stacks"]
    assert one["stack"] == OTHER
    assert [danger["kind"] for danger in one["dangers"]] == ["revision-changed"]
    assert COMMITS[1][:12] in one["dangers"][0]["sentence"]
    assert one["locks"] == [f"repository {WEIGHTS}: {COMMITS[0][:12]} -> {COMMITS[1][:12]}"]


def test_a_lock_file_that_is_wrong_refuses_every_stack(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository.stacks / "servestack.lock").write_text("images: [", encoding="utf-8")
    repository.commit()
    found = reviewed(repository, capsys, code=1)
    kinds = {one["stack"]: one["kind"] for one in found["stacks"]}
    assert (kinds[NAME], kinds[OTHER]) == ("refused", "refused")


def test_an_entry_that_nobody_uses_touches_nothing(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    lock(repository, {"nobody/uses:1": A}, {})
    found = reviewed(repository, capsys)
    assert found["stacks"] == []
    assert len(found["locks"]) == 1
