"""A registry is asked as the distribution-spec has it, and nothing that it says is believed unchecked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.errors import StackError
from infra.lock_client.asking import Asker, AskingError
from infra.lock_client.registry import digest
from infra.lock_client.settings import HUB, Settings, settings
from tests.lock.servers import Registry
from tests.lock.servers import registry as another_registry

IMAGE = "registry.example/team/engine:1.0"
BASIC = base64.b64encode(b"user:secret").decode()


@pytest.fixture
def asker() -> Iterator[Asker]:
    one = Asker()
    yield one
    one.close()


def known(registry: Registry, **more: object) -> Settings:
    hosts = ("registry.example", "docker.io")
    return Settings(mirrors=dict.fromkeys(hosts, registry.address), **more)  # type: ignore[arg-type]


def with_password(registry: Registry, password: str = BASIC) -> Settings:
    return known(registry, passwords={registry.address.removeprefix("http://"): password})


def refused(asker: Asker, settings: Settings, image: str = IMAGE) -> str:
    with pytest.raises(AskingError) as error:
        digest(asker, settings, image)
    assert BASIC not in str(error.value)
    return str(error.value)


def test_the_digest_is_that_of_what_came_after_a_token_for_that_name_alone(registry: Registry, asker: Asker) -> None:
    made = registry.push("team/engine:1.0")
    assert digest(asker, known(registry), IMAGE) == made
    assert [call.path for call in registry.calls] == ["/v2/team/engine/manifests/1.0"] * 2
    assert [call.path for call in registry.token_calls] == [
        "/token?scope=repository%3Ateam%2Fengine%3Apull&service=registry.test"
    ]
    assert registry.token_calls[0].authorization == ""
    accepted = registry.calls[0].accept
    assert "image.index.v1+json" in accepted
    assert "manifest.list.v2+json" in accepted


def test_docker_hubs_short_names_are_its_library(registry: Registry, asker: Asker) -> None:
    made = registry.push("library/caddy:2")
    assert digest(asker, known(registry), "caddy:2") == digest(asker, known(registry), "docker.io/caddy:2") == made


def test_a_mirror_may_keep_names_below_a_path(registry: Registry, asker: Asker) -> None:
    made = registry.push("proxy/hub/library/caddy:2")
    assert digest(asker, Settings(mirrors={"docker.io": f"{registry.address}/proxy/hub"}), "caddy:2") == made


def test_registries_without_a_mirror_are_asked_at_their_own_address_by_https() -> None:
    asked: list[str] = []

    class Noting(Asker):
        def get(self, url: str, *_: object) -> object:  # type: ignore[override]
            asked.append(url)
            raise AskingError("noted")

    for image in ("caddy:2", "vllm/vllm-openai:v1", "ghcr.io/a/b:1", "us-docker.pkg.dev/p/r/i:1", "box.lan:5000/x:1"):
        refused(Noting(), Settings(), image)
    assert asked == [
        "https://registry-1.docker.io/v2/library/caddy/manifests/2",
        "https://registry-1.docker.io/v2/vllm/vllm-openai/manifests/v1",
        "https://ghcr.io/v2/a/b/manifests/1",
        "https://us-docker.pkg.dev/v2/p/r/i/manifests/1",
        "https://box.lan:5000/v2/x/manifests/1",
    ]


def test_a_private_image_needs_the_password_which_only_the_token_server_sees(registry: Registry, asker: Asker) -> None:
    made = registry.push("team/engine:1.0")
    registry.private.add("team/engine")
    assert "none are known). Correct the name, or run: docker login registry.example" in refused(asker, known(registry))
    assert digest(asker, with_password(registry), IMAGE) == made
    assert not [call for call in registry.calls if call.authorization.startswith("Basic")]
    wrong = base64.b64encode(b"user:wrong").decode()
    assert "its credentials are not accepted" in refused(asker, with_password(registry, wrong))
    helped = known(registry, helped=frozenset({"*"}))
    assert "Docker's credential helper is not asked" in refused(asker, helped)


def test_a_registry_may_ask_for_the_password_itself(registry: Registry, asker: Asker) -> None:
    registry.challenge = "Basic"
    made = registry.push("team/engine:1.0")
    refused(asker, known(registry))
    assert digest(asker, with_password(registry), IMAGE) == made


def test_an_open_registry_is_asked_once(registry: Registry, asker: Asker) -> None:
    registry.challenge = ""
    registry.push("team/engine:1.0")
    digest(asker, known(registry), IMAGE)
    assert len(registry.calls) == 1


def test_a_token_goes_to_no_other_host(registry: Registry, asker: Asker) -> None:
    with another_registry() as other:
        other.challenge, registry.redirect = "", other.address
        made = other.push("team/engine:1.0")
        assert digest(asker, known(registry), IMAGE) == made
        assert registry.calls[-1].authorization.startswith("Bearer ")
        assert [call.authorization for call in other.calls] == [""]


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="ftp://127.0.0.1/token"',
        'Bearer realm="file:///etc/passwd"',
        "Bearer realm=",
        "Bearer service=x",
        'Bearer realm="https://user:password@127.0.0.1/"',
        'Bearer realm="http://[::1/"',
    ],
)
def test_tokens_are_asked_from_no_strange_address(challenge: str, registry: Registry, asker: Asker) -> None:
    registry.challenge = challenge
    assert "no safe address for tokens" in refused(asker, with_password(registry))


def test_an_unknown_challenge_is_a_refusal(registry: Registry, asker: Asker) -> None:
    registry.challenge = "Negotiate"
    assert "HTTP 401" in refused(asker, known(registry))


def test_a_digest_that_does_not_match_is_refused(registry: Registry, asker: Asker) -> None:
    registry.push("team/engine:1.0")
    registry.stated["team/engine"] = f"sha256:{'0' * 64}"
    assert "the digest does not match" in refused(asker, known(registry))
    registry.stated["team/engine"] = "sha512:" + "0" * 4000
    assert len(refused(asker, known(registry))) < 400


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"schemaVersion": 1}', b"[" * 9999])
def test_what_is_no_manifest_is_refused(body: bytes, registry: Registry, asker: Asker) -> None:
    registry.challenge = ""
    registry.faults.append(body)
    assert "no image's manifest" in refused(asker, known(registry))


def test_a_manifest_of_another_kind_is_refused(registry: Registry, asker: Asker) -> None:
    registry.kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    registry.push("team/engine:1.0")
    assert "no image's manifest, but application/vnd" in refused(asker, known(registry))


@pytest.mark.parametrize("fault", [429, 502, "drop", "cut"])
def test_what_may_pass_is_asked_again(fault: int | str, registry: Registry, asker: Asker) -> None:
    registry.challenge = ""
    made = registry.push("team/engine:1.0")
    registry.faults += [fault] * 3
    assert digest(asker, known(registry), IMAGE) == made
    registry.faults += [fault] * 4
    assert "4 times in a row" in refused(asker, known(registry))


def test_what_is_not_there_is_told(registry: Registry, asker: Asker) -> None:
    assert "no such image or tag (HTTP 404)" in refused(asker, known(registry))


def test_nobody_listens(asker: Asker) -> None:
    assert "does not answer" in refused(asker, Settings(mirrors={"registry.example": "http://127.0.0.1:1"}))


def test_settings_are_read_from_the_environment_and_dockers_file(tmp_path: Path) -> None:
    nothing = {"DOCKER_CONFIG": str(tmp_path)}
    assert settings(nothing) == Settings(HUB)
    config = {
        "auths": {"https://index.docker.io/v1/": {"auth": BASIC}, "ghcr.io": {"auth": BASIC}, "nvcr.io": {}},
        "credHelpers": {"us-docker.pkg.dev": "gcloud"},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    said = {
        "HF_ENDPOINT": "https://hub.example/",
        "HF_TOKEN": " hf_x ",
        "SERVESTACK_REGISTRIES": "docker.io=https://m/",
    }
    found = settings(nothing | said)
    assert (found.hub, found.token, found.mirrors) == ("https://hub.example", "hf_x", {"docker.io": "https://m"})
    assert [found.password(host) for host in ("docker.io", "ghcr.io", "nvcr.io")] == [BASIC, BASIC, ""]
    assert found.helped == {"us-docker.pkg.dev"}
    assert "hf_x" not in repr(found)
    assert BASIC not in repr(found)


@pytest.mark.parametrize(
    "said",
    [
        {"HF_ENDPOINT": "hub.example"},
        {"HF_ENDPOINT": "https://user:hf_secret@hub.example"},
        {"HF_ENDPOINT": "https://hub.example:hf_secret"},
        {"HF_ENDPOINT": "https://[hf_secret"},
        {"HF_ENDPOINT": "http://hub.example", "HF_TOKEN": "hf_secret"},
        {"HF_TOKEN": "hf_secret\nX: y"},
        {"SERVESTACK_REGISTRIES": "docker.io"},
        {"SERVESTACK_REGISTRIES": "docker.io=ftp://hf_secret"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused_without_a_word_of_them(said: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(StackError) as error:
        settings({"DOCKER_CONFIG": str(tmp_path), **said})
    assert "hf_secret" not in str(error.value)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"auths": ["x"]}', '{"auths": {"x": {"auth": "c2VjcmV0"}}}', '{"auths": 1}']
)
def test_a_broken_file_of_docker_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(StackError, match="not Docker's configuration"):
        settings({"DOCKER_CONFIG": str(tmp_path)})


def test_a_password_is_not_sent_where_others_can_read_it(asker: Asker) -> None:
    clear = Settings(mirrors={"registry.example": "http://box.lan"}, passwords={"box.lan": BASIC})
    assert "begins with http" in refused(asker, clear)
