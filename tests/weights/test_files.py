"""GGUF files: the script of the rendered pod, with a real sh and a real curl, against a hub that misbehaves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from tests.weights.hub import COMMIT, Hub, running
from tests.weights.rig import NEEDS_CURL, Pod, container

pytestmark = NEEDS_CURL
ENDPOINT, BODY = container("tests/examples/valid", "gemma4-e4b-l4-llamacpp-revision")
(DOWNLOAD,) = ENDPOINT.plan.weights.downloads
MODEL, PROJECTOR = DOWNLOAD.files


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(BODY, tmp_path)


@pytest.fixture
def hub() -> Hub:
    content = {MODEL: os.urandom(400_000), PROJECTOR: os.urandom(5000), "README.md": b"not wanted"}
    return Hub(repository=DOWNLOAD.repository, files=content)


def test_both_files_come_whole_at_the_commit_of_the_stack_file_and_nothing_else_does(pod: Pod, hub: Hub) -> None:
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.last_words) == (0, "")
    assert done.files() == {name: hub.files[name] for name in (MODEL, PROJECTOR)}
    assert hub.revisions == {COMMIT}
    assert done.folder / "model" / MODEL == pod.root / Path(ENDPOINT.plan.weights.model_path.lstrip("/"))


def test_a_container_that_starts_again_asks_nobody(pod: Pod, hub: Hub) -> None:
    with running(hub):
        assert pod.run(hub).code == 0
        hub.asked.clear()
        again = pod.run(hub)
    assert (again.code, sum(hub.asked.values())) == (0, 0)


def test_a_file_of_another_size_than_was_verified_is_not_trusted(pod: Pod, hub: Hub) -> None:
    with running(hub):
        done = pod.run(hub)
        (done.folder / "model" / MODEL).write_bytes(b"x" * 1000)
        again = pod.run(hub)
    assert "checksum differs" in again.last_words  # it was carried on from where it seemed to end
    with running(hub):
        assert pod.run(hub).files()[MODEL] == hub.files[MODEL]


def test_a_connection_that_is_cut_is_carried_on_from_where_it_ended(pod: Pod, hub: Hub) -> None:
    hub.cuts = 3
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()[MODEL]) == (0, hub.files[MODEL])
    assert hub.ranges[:3] == ["bytes=200000-", "bytes=300000-", "bytes=350000-"]


def test_a_container_that_was_killed_midway_carries_on_from_where_it_ended(pod: Pod, hub: Hub) -> None:
    half = pod.root / "cache" / "weights" / "model" / f"{MODEL}.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(hub.files[MODEL][:123_456])
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()[MODEL], hub.ranges) == (0, hub.files[MODEL], ["bytes=123456-"])


def test_a_storage_that_does_not_resume_is_asked_for_the_whole_file(pod: Pod, hub: Hub) -> None:
    hub.cuts, hub.resumes = 1, False
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()[MODEL]) == (0, hub.files[MODEL])


def test_more_bytes_than_the_file_has_are_thrown_away(pod: Pod, hub: Hub) -> None:
    part = pod.root / "cache" / "weights" / "model" / f"{MODEL}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x" * 500_000)
    with running(hub):
        assert pod.run(hub).files()[MODEL] == hub.files[MODEL]


@pytest.mark.parametrize("code", [429, 500, 503])
@pytest.mark.parametrize("stage", ["ask", "file"])
def test_a_hub_that_is_busy_for_a_while_is_asked_again(pod: Pod, hub: Hub, stage: str, code: int) -> None:
    hub.status, hub.times = {stage: code}, {stage: 4}
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()[MODEL]) == (0, hub.files[MODEL])


@pytest.mark.parametrize("stage", ["ask", "file"])
def test_a_hub_that_is_busy_for_ever_is_given_up_with_its_answer(pod: Pod, hub: Hub, stage: str) -> None:
    hub.status = {stage: 503}
    with running(hub):
        done = pod.run(hub)
    assert done.code == 1
    assert done.last_words.startswith("weights: network: ")
    assert "HTTP 503, 6 times in a row" in done.last_words
    assert not done.files()


def test_a_hub_that_does_not_answer_is_told_as_the_network(pod: Pod, hub: Hub) -> None:
    with running(hub):
        pass
    done = pod.run(hub)
    assert done.code == 1
    assert done.last_words.startswith("weights: network: no answer from the hub")


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_access_is_told_at_once_with_what_may_lack(pod: Pod, hub: Hub, code: int) -> None:
    hub.status = {"ask": code}
    with running(hub):
        done = pod.run(hub)
    assert done.code == 1
    assert done.last_words.startswith(f"weights: access refused (HTTP {code}) to {hub.repository}")
    assert sum(hub.asked.values()) == 1


def test_a_file_that_the_commit_does_not_have_is_named(pod: Pod, hub: Hub) -> None:
    del hub.files[PROJECTOR]
    with running(hub):
        done = pod.run(hub)
    assert done.code == 1
    assert done.last_words == f"weights: not found (HTTP 404): {PROJECTOR} at {COMMIT} of {hub.repository}"


def test_bytes_that_are_not_those_of_the_hub_are_refused_and_removed(pod: Pod, hub: Hub) -> None:
    hub.states = "f" * 64
    with running(hub):
        done = pod.run(hub)
    true = hashlib.sha256(hub.files[MODEL]).hexdigest()
    assert done.code == 1
    assert done.last_words == f"weights: checksum differs: {MODEL} is {true}, the hub states {'f' * 64}"
    assert not [one for one in done.folder.rglob("*") if one.is_file()]
    hub.states = ""
    with running(hub):
        assert pod.run(hub).files()[MODEL] == hub.files[MODEL]


@pytest.mark.parametrize("states", ["nonsense", "a" * 40, "$(touch here)"])
def test_a_checksum_that_is_none_is_not_taken_for_one(pod: Pod, hub: Hub, states: str) -> None:
    hub.states = states
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()) == (1, {})
    assert done.last_words.startswith("weights: checksum: the hub states none")


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(pod: Pod, hub: Hub) -> None:
    hub.size = 10**15
    with running(hub):
        done = pod.run(hub)
    assert done.code == 1
    assert done.last_words.startswith(f"weights: no disk space: {MODEL} needs 953674316 MiB more, ")
    assert not hub.asked["GET file"]


def test_a_disk_that_fills_up_meanwhile_is_told_as_that(pod: Pod, hub: Hub) -> None:
    with running(hub):
        done = pod.run(hub, full=True)
    assert done.code == 1
    assert done.last_words.startswith(f"weights: no disk space: {MODEL} could not be written")


def test_a_repository_that_moved_is_followed(pod: Pod, hub: Hub) -> None:
    hub.moved_from, hub.repository = hub.repository, "org/elsewhere"
    with running(hub):
        assert pod.run(hub).files()[MODEL] == hub.files[MODEL]


@pytest.mark.parametrize("written", ["hf_secret", "hf_secret\n"])
def test_the_token_goes_to_the_hub_alone_and_is_told_nowhere(pod: Pod, hub: Hub, written: str) -> None:
    with running(hub):
        done = pod.run(hub, token=written)
    assert done.code == 0
    assert {which for which in hub.tokens if which[0] == "ask"} == {("ask", "Bearer hf_secret")}
    assert {which for which in hub.tokens if which[0] == "file"} == {("file", None)}
    assert "hf_secret" not in done.told
    assert not [one for one in pod.root.rglob("*") if one.is_file() and b"hf_secret" in one.read_bytes()]


def test_files_of_a_branch_all_come_from_the_commit_that_it_was_at_first(tmp_path: Path, hub: Hub) -> None:
    words = ["main" if word == COMMIT else word for word in BODY["command"]]
    with running(hub):
        done = Pod({**BODY, "command": words}, tmp_path).run(hub)
    assert done.code == 0
    assert f"main of {hub.repository} is {COMMIT}" in done.told
    assert hub.asked_of == ["main", COMMIT, COMMIT, COMMIT]


def test_it_waits_longer_each_time(pod: Pod, hub: Hub) -> None:
    hub.status, hub.times = {"ask": 503}, {"ask": 2}
    with running(hub):
        told = pod.run(hub, pause="1").told
    assert [f"trying again in {seconds} s" in told for seconds in (1, 2, 4)] == [True, True, False]


def test_kubernetes_leaves_the_script_as_it_is() -> None:
    """In commands the kubelet puts `$(NAME)` for variables of the container and makes `$$` into `$`, nothing else."""
    names = {one["name"] for one in BODY["env"]} | {"HF_TOKEN"}
    script = next(word for word in BODY["command"] if "\n" in word)
    assert "$$" not in script
    assert not [name for name in names if f"$({name})" in script]
