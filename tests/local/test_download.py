"""Weights from a hub on loopback: resumed, compared, whole or not at all, and every failure with its reason."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.download import fetch, forget
from infra.local.failures import LocalError
from tests.local.hub import Hub, serving

CONTENT = bytes(range(256)) * 4096
ADDRESS = "some/model/resolve/main/model.gguf"
TOKEN = "hf_planted_token"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with serving(CONTENT) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield made


def get(target: Path, sha256: str = "") -> None:
    fetch(ADDRESS, target, sha256, pause_seconds=0.001)


def test_a_file_comes_whole_and_is_not_fetched_twice(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "a" / "model.gguf"
    get(target)
    assert target.read_bytes() == CONTENT
    assert not target.with_name("model.gguf.part").exists()
    assert "weights: model.gguf 100 % of" in capsys.readouterr().err
    before = len(hub.seen)
    get(target)
    assert len(hub.seen) == before
    target.write_bytes(CONTENT[:-1] + b"x")  # changed by hand: what was verified is not this
    get(target)
    assert target.read_bytes() == CONTENT


def test_what_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.cut_after = [1000, 0, 500_000]
    get(tmp_path / "model.gguf")
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT
    ranges = [one[2] for one in hub.seen if one[0] == "GET" and one[1].startswith("/blob")]
    assert ranges == ["", "bytes=1000-", "bytes=1000-", "bytes=501000-"]


def test_a_storage_that_does_not_resume_begins_anew(hub: Hub, tmp_path: Path) -> None:
    hub.resumes, hub.cut_after = False, [1000]
    get(tmp_path / "model.gguf")
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_the_token_goes_to_the_hub_and_not_to_its_storage(hub: Hub, tmp_path: Path) -> None:
    get(tmp_path / "model.gguf")
    for _, path, _, authorization in hub.seen:
        assert authorization == (f"Bearer {TOKEN}" if "/resolve/" in path else "")


def test_a_wrong_checksum_names_both_and_removes_the_file(hub: Hub, tmp_path: Path) -> None:
    hub.sha256 = "a" * 64
    with pytest.raises(LocalError) as failed:
        get(tmp_path / "model.gguf")
    assert f"expected {'a' * 64}, got {hashlib.sha256(CONTENT).hexdigest()}" in str(failed.value)
    assert not [one for one in tmp_path.iterdir() if not one.name.endswith(".lock")]


def test_the_stack_files_own_checksum_is_above_the_hubs(hub: Hub, tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=f"expected {'b' * 64}"):
        get(tmp_path / "model.gguf", "b" * 64)


def test_no_room_is_said_before_the_first_byte_with_what_is_needed_and_free(hub: Hub, tmp_path: Path) -> None:
    hub.size = 10**16
    with pytest.raises(LocalError) as failed:
        get(tmp_path / "model.gguf")
    said = re.search(r"needs ([0-9,.]+) GiB more, ([0-9,.]+) GiB are free in (\S+)\.", str(failed.value))
    assert said
    assert said[1] == "9,313,225.8"
    assert float(said[2].replace(",", "")) * 2**30 < shutil.disk_usage(tmp_path).total
    assert said[3] == str(tmp_path)
    assert not any(one[0] == "GET" for one in hub.seen)


@pytest.mark.parametrize(("code", "said"), [(401, "access refused"), (403, "access refused"), (404, "not found")])
def test_what_no_second_try_mends_is_said_at_once(hub: Hub, tmp_path: Path, code: int, said: str) -> None:
    hub.code = code
    with pytest.raises(LocalError, match=said):
        get(tmp_path / "model.gguf")
    assert len(hub.seen) == 1


def test_a_hub_that_only_fails_is_given_up_and_no_signature_is_shown(hub: Hub, tmp_path: Path) -> None:
    hub.code = 503
    with pytest.raises(LocalError, match="HTTP 503, 6 times in a row"):
        get(tmp_path / "model.gguf")
    assert len(hub.seen) == 6
    hub.code, hub.cut_after = 0, [0] * 20
    with pytest.raises(LocalError) as failed:
        get(tmp_path / "model.gguf")
    assert "times in a row" in str(failed.value)
    assert "signature" not in str(failed.value)


def test_two_at_once_fetch_once(hub: Hub, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: get(tmp_path / "model.gguf"), range(2)))
    assert sum(one[0] == "GET" and one[1].startswith("/blob") for one in hub.seen) == 1


def test_a_file_is_forgotten_with_all_that_lies_beside_it(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "weights" / "some" / "model" / "main" / "model.gguf"
    get(target)
    forget(target)
    assert not list((tmp_path / "weights").rglob("*.*"))
