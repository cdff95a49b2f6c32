"""Whole repositories: the script of the rendered pod, with the real `hf`, against a hub that misbehaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.weights.hub import COMMIT, Hub, running
from tests.weights.rig import NEEDS_HF, Pod, container, tool_path

pytestmark = NEEDS_HF
ENDPOINT, BODY = container("tests/examples/valid", "gemma4-e4b-l4-token")
(DOWNLOAD,) = ENDPOINT.plan.weights.downloads


@pytest.fixture
def pod(tmp_path: Path) -> Pod:
    return Pod(BODY, tmp_path)


@pytest.fixture
def hub() -> Hub:
    content = {"config.json": b'{"model_type": "gemma4"}', "model.safetensors": os.urandom(400_000)}
    return Hub(repository=DOWNLOAD.repository, files=content)


def test_the_whole_repository_comes_at_the_commit_of_the_stack_file_once(pod: Pod, hub: Hub) -> None:
    with running(hub):
        done = pod.run(hub, token="hf_secret")
        assert (done.code, done.last_words, done.files()) == (0, "", hub.files)
        assert done.folder / "model" == pod.root / Path(ENDPOINT.plan.weights.model_path.lstrip("/"))
        assert ("ask", "Bearer hf_secret") in hub.tokens
        assert ("file", "Bearer hf_secret") not in hub.tokens
        hub.asked.clear()
        assert (pod.run(hub).code, sum(hub.asked.values())) == (0, 0)
    assert hub.revisions == {COMMIT}


def test_a_connection_that_is_cut_and_a_storage_that_is_busy_are_got_over(pod: Pod, hub: Hub) -> None:
    hub.cuts, hub.status, hub.times = 2, {"file": 503}, {"file": 1}
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()) == (0, hub.files)


def test_a_folder_that_holds_part_of_it_is_not_taken_for_the_whole_while_the_hub_lists_none(pod: Pod, hub: Hub) -> None:
    part = pod.root / "cache" / "weights" / "model" / "config.json"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.files["config.json"])
    hub.status = {"list": 400}  # `hf` tries again by itself for a minute where nobody answers
    with running(hub):
        done = pod.run(hub, tries="2")
    assert done.code == 1
    assert done.last_words.startswith("weights: network: hf ended with ")
    assert not list(done.folder.glob("*.verified"))


@pytest.mark.parametrize(("status", "code"), [({"list": 401, "ask": 401}, ""), ({"ask": 403}, "GatedRepo")])
def test_a_refused_access_is_told_at_once(pod: Pod, hub: Hub, status: dict[str, int], code: str) -> None:
    hub.status, hub.error_code = status, code
    with running(hub):
        done = pod.run(hub)
    assert done.code == 1
    assert done.last_words.startswith(f"weights: access refused (HTTP 401 or 403) to {hub.repository}")


def test_an_access_refused_without_a_reason_is_no_trouble_of_the_network(pod: Pod, hub: Hub) -> None:
    """As the hub answers a token that may read other repositories alone."""
    hub.status = {"list": 403, "ask": 403}
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.last_words.startswith("weights: access refused")) == (1, True)


OLDER = """#!/bin/sh
if [ "$1" = cache ]; then echo "hf: error: argument cache_command: invalid choice: 'verify'" >&2; exit 2; fi
PATH=${PATH#*:}
exec hf "$@"
"""


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image whose `hf` cannot verify, as those before huggingface_hub 1."""
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "hf").write_text(OLDER)
    (tmp_path / "older" / "hf").chmod(0o755)
    path = f"{tmp_path / 'older'}:{tool_path()}"
    monkeypatch.setattr("tests.weights.rig.tool_path", lambda: path)


@pytest.mark.usefixtures("older")
def test_an_hf_that_cannot_verify_is_enough(pod: Pod, hub: Hub) -> None:
    with running(hub):
        assert (pod.run(hub).code, pod.run(hub).files()) == (0, hub.files)


@pytest.mark.usefixtures("older")
def test_other_bytes_are_refused_and_removed_where_hf_cannot_verify(pod: Pod, hub: Hub) -> None:
    hub.states = "f" * 64
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.files()) == (1, {})
    assert done.last_words.startswith("weights: checksum differs: ")


@pytest.mark.usefixtures("older")
def test_part_of_a_repository_is_not_the_whole_where_hf_cannot_verify(pod: Pod, hub: Hub) -> None:
    part = pod.root / "cache" / "weights" / "model" / "config.json"
    part.parent.mkdir(parents=True)
    part.write_bytes(hub.files["config.json"])
    hub.status = {"list": 400}
    with running(hub):
        done = pod.run(hub, tries="2")
    assert (done.code, done.last_words.startswith("weights: network: ")) == (1, True)
    assert not list(done.folder.glob("*.verified"))


def test_a_repository_that_is_none_is_an_access_refused_as_the_hub_has_it(pod: Pod, hub: Hub) -> None:
    hub.repository = "org/another"
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.last_words.startswith("weights: access refused")) == (1, True)


def test_a_commit_that_is_none_is_not_found(tmp_path: Path, hub: Hub) -> None:
    words = ["f" * 40 if word == COMMIT else word for word in BODY["command"]]
    with running(hub):
        done = Pod({**BODY, "command": words}, tmp_path).run(hub)
    assert (done.code, done.last_words) == (1, f"weights: not found (HTTP 404): {'f' * 40} of {hub.repository}")


def test_bytes_that_are_not_those_of_the_hub_are_refused_and_removed(pod: Pod, hub: Hub) -> None:
    hub.states = "f" * 64
    with running(hub):
        done = pod.run(hub)
        assert (done.code, done.files()) == (1, {})
        assert done.last_words.startswith("weights: checksum differs: ")
        hub.states = ""
        assert pod.run(hub).files() == hub.files


def test_a_disk_that_fills_up_is_told_as_that(pod: Pod, hub: Hub) -> None:
    with running(hub):
        done = pod.run(hub, full=True)
    assert (done.code, done.last_words.startswith("weights: no disk space: ")) == (1, True)


def test_an_image_without_the_command_is_told_as_that(pod: Pod, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.weights.rig.tool_path", lambda: "/usr/bin:/bin")
    with running(hub):
        done = pod.run(hub)
    assert (done.code, done.last_words.startswith("weights: the image has no command hf")) == (1, True)
