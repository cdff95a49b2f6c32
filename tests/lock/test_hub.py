"""The hub is asked as its own client asks, and every way in which it can refuse has its words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

from infra.lock_client.asking import Asker, AskingError
from infra.lock_client.hub import commit
from infra.lock_client.settings import Settings
from tests.lock.servers import Hub
from tests.lock.servers import hub as another_hub

NAME, COMMIT = "example/model", "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def asker() -> Iterator[Asker]:
    one = Asker()
    yield one
    one.close()


@pytest.fixture(autouse=True)
def _has_a_model(hub: Hub) -> None:
    hub.commits[NAME] = COMMIT


def test_the_stand_in_is_a_hub_to_the_real_client(hub: Hub) -> None:
    api = HfApi(endpoint=hub.address, token=False)
    assert api.model_info(NAME, revision="main", expand=["sha"]).sha == COMMIT
    real = hub.calls[-1]
    asker = Asker()
    assert commit(asker, Settings(hub.address), NAME, "main") == COMMIT
    asker.close()
    assert hub.calls[-1].path == real.path
    hub.gated.add("example/gated")
    with pytest.raises(GatedRepoError):
        api.model_info("example/gated", revision="main")
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("example/none", revision="main")
    with pytest.raises(RevisionNotFoundError):
        api.model_info(NAME, revision="none")


def refused(asker: Asker, hub: Hub, name: str = NAME, revision: str = "main", token: str = "") -> str:
    with pytest.raises(AskingError) as error:
        commit(asker, Settings(hub.address, token), name, revision)
    assert not token or token not in str(error.value)
    return str(error.value)


def test_each_refusal_says_what_to_do(hub: Hub, asker: Asker) -> None:
    hub.gated.add("example/gated")
    assert refused(asker, hub, "example/gated") == (
        f"access refused (HTTP 403). Accept its licence at {hub.address}/example/gated, and set HF_TOKEN to a token of "
        "that account."
    )
    assert "set HF_TOKEN if it is private" in refused(asker, hub, "example/none")
    assert "HF_TOKEN is not accepted" in refused(asker, hub, "example/none", token="hf_wrong")
    assert "not found (HTTP 404)" in refused(asker, hub, "example/none", token=hub.token)
    assert refused(asker, hub, revision="none") == "it has no revision none (HTTP 404)."


def test_a_private_repository_is_seen_with_the_token(hub: Hub, asker: Asker) -> None:
    hub.private.add(NAME)
    refused(asker, hub)
    assert commit(asker, Settings(hub.address, hub.token), NAME, "main") == COMMIT


@pytest.mark.parametrize("fault", [429, 500, 503, "drop", "cut"])
def test_what_may_pass_is_asked_again(fault: int | str, hub: Hub, asker: Asker) -> None:
    hub.faults += [fault] * 3
    assert commit(asker, Settings(hub.address), NAME, "main") == COMMIT
    hub.faults += [fault] * 4
    said = refused(asker, hub)
    assert "4 times in a row" in said
    assert not hub.faults
    if isinstance(fault, int):
        assert f"HTTP {fault}" in said
        assert ("it limits how often" in said) == (fault == 429)


def test_what_will_not_pass_is_asked_once(hub: Hub, asker: Asker) -> None:
    hub.faults.append(400)
    assert "HTTP 400" in refused(asker, hub)
    assert len(hub.calls) == 1


def test_a_moved_repository_is_followed_with_the_token(hub: Hub, asker: Asker) -> None:
    hub.private.add(NAME)
    hub.moved["example/old"] = NAME
    assert commit(asker, Settings(hub.address, hub.token), "example/old", "main") == COMMIT


def test_the_token_goes_to_no_other_host(hub: Hub, asker: Asker) -> None:
    with another_hub() as other:
        other.commits["example/else"] = "b" * 40
        hub.moved["example/old"] = "example/else"
        hub.elsewhere = other.address
        assert commit(asker, Settings(hub.address, hub.token), "example/old", "main") == "b" * 40
        assert [call.authorization for call in hub.calls] == [f"Bearer {hub.token}"]
        assert [call.authorization for call in other.calls] == [""]


def test_a_hub_that_sends_in_circles_is_left(hub: Hub, asker: Asker) -> None:
    hub.moved["example/old"] = "example/old"
    assert "from place to place" in refused(asker, hub, "example/old")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"{}", b'{"sha": null}', b'{"sha": "main"}', b'{"sha": "' + b"A" * 40 + b'"}', b"[" * 9999],
)
def test_an_answer_without_a_commit_is_none(body: bytes, hub: Hub, asker: Asker) -> None:
    hub.faults.append(body)
    assert "no commit" in refused(asker, hub)


def test_an_endless_answer_is_cut_off(hub: Hub, asker: Asker) -> None:
    hub.faults.append(b" " * (8 * 2**20 + 1))
    assert "more than 8 MiB" in refused(asker, hub)
