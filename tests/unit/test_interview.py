"""The questions of `servestack new`: every offer plans, wrong answers are asked again, leaving leaves nothing."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog
from infra.errors import PlanError, SpecError
from infra.interview import Terminal, interview
from infra.new_stack import Draft
from infra.offers import accelerator_offers, capacity_offers, cheapest, complete, framework_offers
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.report import plan_text
from infra.stack_folder import StackFolder
from tests.unit.files import CLOUD, PLATFORM, Files
from tests.unit.test_new import HOSTILE, content, flags

MODELS = sorted(load_catalog().models)
HOST = PLATFORM.replace(PLATFORM.splitlines()[2], "host: {address: mac.example}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "schema.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("model", MODELS)
def test_every_accelerator_framework_and_capacity_on_offer_plans(model: str) -> None:
    files = Files()
    offers = accelerator_offers(Draft(platform="dev", model=model), files)
    assert len(offers) > 3
    assert [one.usd_per_hour for one in offers] == sorted(one.usd_per_hour for one in offers)
    assert cheapest(offers).endpoint.refusal is None
    for offer in offers:
        for framework in framework_offers(
            Draft(platform="dev", model=model, accelerator=offer.draft.accelerator), files
        ):
            for last in [framework, *capacity_offers(framework.draft, files)]:
                new = complete(last.draft, files)
                built = build(new.name, Files(**{new.name: new.text}))
                assert isinstance(built, Endpoint)
                assert built.plan == new.endpoint.plan


@pytest.mark.parametrize("model", MODELS)
def test_every_precision_on_offer_has_a_name_that_plans(model: str) -> None:
    for precision in sorted({one.precision for one in load_catalog().models[model].checkpoints}):
        for suffix in (None, "team-of-search"):
            for framework in ("vllm", "llamacpp"):
                draft = Draft("dev", model, framework=framework, precision=precision, suffix=suffix)
                try:
                    new = complete(draft, Files())
                except PlanError:
                    continue
                assert len(new.name) <= 40
                assert new.name.endswith(suffix or "")


def test_a_mac_is_offered_what_runs_on_a_mac() -> None:
    files = Files(mac=HOST)
    offers = accelerator_offers(Draft(platform="mac", model="gemma-4-e4b-it"), files)
    assert {one.endpoint.plan.accelerator.kind for one in offers} == {"apple"}
    assert "vllm" not in {one.draft.framework for one in offers}
    asked = Draft(platform="mac", model="gemma-4-e4b-it", framework="llamacpp")
    draft, said = answered(asked, files, ["", "", "apple-36gb"])
    assert (draft.accelerator, draft.capacity) == ("apple-36gb", None)
    assert "price not known" in said


class Script:
    """Answers in order, then the end of the input; what was said is kept."""

    def __init__(self, answers: list[str]) -> None:
        self.answers: Iterator[str] = iter(answers)
        self.said: list[str] = []
        self.terminal = Terminal(self._read, self.said.append)

    def _read(self, prompt: str) -> str:
        self.said.append(prompt)
        try:
            return next(self.answers) + "\n"
        except StopIteration:
            raise EOFError from None


def answered(draft: Draft, files: Files, answers: list[str]) -> tuple[Draft, str]:
    script = Script(answers)
    result = interview(draft, files, script.terminal)
    assert next(script.answers, None) is None
    text = "\n".join(script.said)
    assert max(len(line) for line in text.splitlines()) <= 80
    return result, text


def test_a_folder_without_platform_ends_before_any_question(folder: Path) -> None:
    (folder / "dev.yaml").unlink()
    script = Script([])
    with pytest.raises(SpecError, match="has no platform"):
        interview(Draft(), StackFolder(folder), script.terminal)
    assert script.said == []


def test_defaults_all_the_way_give_a_stack() -> None:
    draft, _ = answered(Draft(), Files(), [""] * 7)
    new = complete(draft, Files())
    assert new.endpoint.refusal is None
    assert new.name == "gemma4-12b-l4"


def test_answers_are_names_or_numbers_and_wrong_ones_are_explained() -> None:
    answers = ["0", "DEV", "gemma-9", "gemma-4-31b-it", "many", "7", "999999", "8,192", "-1", "0", "2"]
    answers += ["h1oo", "tpu-v5e", "h100", "vlm", "tgi", "1", "free", "on demand", "spot"]
    draft, said = answered(Draft(), Files(), answers)
    assert draft == Draft("dev", "gemma-4-31b-it", "h100", "vllm", context=8192, concurrency=2, capacity=("spot",))
    assert "platform: '0' is no answer here. Known: dev." in said
    assert "context: 'many' is no whole number" in said
    assert "contextLength: should be greater than or equal to 256, not 7." in said
    assert "accelerator: 'h1oo' is no answer here. Did you mean 'h100'?" in said
    assert "accelerator: vLLM does not run on tpu-v5e." in said
    assert "framework: Text Generation Inference " in said
    assert "capacity: 'free' is no answer here. Known: any, flex-start, on-demand, spot." in said


def test_an_offer_of_h100_leads_into_no_refusal() -> None:
    for capacity in ("", "1", "2", "3"):
        draft, _ = answered(Draft("dev", "gemma-4-31b-it"), Files(), ["", "", "h100", "vllm", capacity])
        assert complete(draft, Files()).endpoint.refusal is None


def test_only_what_is_missing_is_asked() -> None:
    full = Draft("dev", None, "l4", "vllm", context=8192, concurrency=2, capacity=("spot",))
    draft, _ = answered(full, Files(), ["gemma-4-e4b-it"])
    assert draft.model == "gemma-4-e4b-it"


def test_a_load_that_fits_nowhere_is_explained_and_asked_again() -> None:
    draft, said = answered(Draft("dev", framework="vllm"), Files(), ["3", "262144", "1024", "3", "", "", "", ""])
    assert "No accelerator can serve this:" in said
    assert (draft.context, draft.concurrency) == (None, None)


def test_flags_that_are_wrong_are_refused_before_any_question() -> None:
    for draft in (
        Draft("nowhere"),
        Draft(accelerator="h1oo"),
        Draft(context=1),
        Draft(suffix="../x"),
        Draft(inputs=("smell",)),
    ):
        with pytest.raises(SpecError):
            interview(draft, Files(), Script([]).terminal)


def test_accelerators_of_the_same_refusal_are_told_together() -> None:
    with pytest.raises(PlanError) as refused:
        accelerator_offers(
            Draft("dev", "gemma-4-31b-it", framework="llamacpp", context=262144, concurrency=1024), Files()
        )
    assert len(str(refused.value).splitlines()) < 40
    assert max(len(line) for line in str(refused.value).splitlines()) <= 80


def test_a_taken_name_is_told_and_a_suffix_asked() -> None:
    files = Files(**{"gemma4-12b-l4": "kind: Endpoint\n", "gemma4-12b-l4-two": "kind: Endpoint\n"})
    draft, said = answered(Draft(), files, [*[""] * 7, "l4", "../x", "", "two", "three"])
    assert complete(draft, files).name == "gemma4-12b-l4-three"
    assert "stacks/gemma4-12b-l4-two.yaml exists and stays as it is" in said


@pytest.mark.parametrize("count", range(7))
def test_the_end_of_the_input_ends_the_questions(count: int) -> None:
    with pytest.raises(SpecError, match="nothing was written"):
        answered(Draft(), Files(), [""] * count)


@pytest.mark.parametrize("answer", [*HOSTILE, "\x00\x1b[2J", "9" * 5000, "日本", "\udcff", "x" * 100_000])
def test_hostile_answers_are_shown_on_one_line_and_asked_again(answer: str) -> None:
    script = Script([answer] * 3)
    with pytest.raises(SpecError, match="nothing was written"):
        interview(Draft(), Files(), script.terminal)
    assert all(line.isprintable() for text in script.said for line in text.split("\n"))
    assert max(len(line) for text in script.said for line in text.split("\n")) <= 80


def test_on_a_project_without_a_cluster_the_services_are_asked_for() -> None:
    files = Files(cloud=CLOUD)
    cases = [
        (["", "", "", "", "", ""], "gemma4-26b-a4b-vertex", "rtxpro6000"),
        (["serverless", "", ""], "gemma4-26b-a4b-vertex-serverless", None),
        (["gemini", "gemma-4-31b-it", "8192"], "gemma4-31b-gemini", None),
        (["gemini", "gemma-4-e4b-it", "2", ""], "gemma4-31b-gemini", None),
        (["3", "1", "300000", "8192"], "gemma4-26b-a4b-gemini", None),
        (
            ["nothing", "vertex", "gemma-4-31b-it", "100000", "", "gemma-4-31b-it", "8192", "", "h100", "spot"],
            "gemma4-31b-vertex",
            "h100",
        ),
    ]
    for answers, name, accelerator in cases:
        draft, said = answered(Draft("cloud"), files, answers)
        new = complete(draft, files)
        assert new.name == name, said
        assert isinstance(new.endpoint, ManagedEndpoint)
        chosen = new.endpoint.plan.accelerator
        assert (chosen.type if chosen else None) == accelerator


@pytest.mark.parametrize("model", MODELS)
def test_every_offer_of_model_garden_plans(model: str) -> None:
    files = Files(cloud=CLOUD)
    try:
        offers = accelerator_offers(Draft("cloud", model), files)
    except PlanError as refused:
        assert max(len(line) for line in str(refused).splitlines()) <= 80
        assert "docs/managed.md" in str(refused) or "framework: vllm" in str(refused) or "-it" in str(refused)
        return
    for offer in offers:
        assert [one.draft.framework for one in framework_offers(offer.draft, files)] == ["vertex"]
        bought = capacity_offers(offer.draft, files)
        assert {one.draft.capacity for one in bought} == {("spot",), ("flex-start",), ("on-demand",)}
        for last in [offer, *bought]:
            assert last.price_text.endswith("USD per hour")
            assert complete(last.draft, files).endpoint.plan == last.endpoint.plan


class Session:
    """The command on a real pseudo-terminal."""

    def __init__(self, root: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        environment = os.environ | {"PYTHONPATH": str(root), "LC_ALL": "C.UTF-8"}
        command = [sys.executable, "-m", "infra.cli", "new", *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            cwd=root,
            start_new_session=True,
            # Tests that run in the background of a shell hand on that Ctrl-C is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(slave)
        self.seen = ""

    def until(self, words: str) -> None:
        """Read until the words come, then forget what was before."""
        deadline = time.monotonic() + 30
        while words not in self.seen:
            assert select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0], self.seen
            self.seen += self._read()
        self.seen = self.seen.partition(words)[2]

    def type(self, text: bytes) -> None:
        os.write(self.master, text)

    def end(self) -> tuple[int, str]:
        while chunk := self._read():
            self.seen += chunk
        os.close(self.master)
        return self.process.wait(30), self.seen.replace("\r\n", "\n")

    def _read(self) -> str:
        try:
            return os.read(self.master, 65536).decode("utf-8", "replace")
        except OSError:
            return ""


QUESTIONS = ["platform", "model", "longest request", "at once", "accelerator", "framework", "capacity"]


def test_on_a_terminal_it_asks_and_writes(folder: Path, root: Path) -> None:
    session = Session(root, "--stacks", str(folder))
    for question, answer in zip(QUESTIONS, [b"", b"\xff\xfe", b"", b"", b"l4", b"vllm", b"spot"], strict=True):
        session.until(f"{question}, by name" if question not in {"longest request", "at once"} else f"{question} [")
        session.until("]: ")
        session.type(answer + b"\n")
        if question == "model":
            session.until("is no answer here.")
            session.until("]: ")
            session.type(b"gemma-4-e4b-it\n")
    code, said = session.end()
    assert code == 0, said
    built = build("gemma4-e4b-l4", StackFolder(folder))
    assert isinstance(built, Endpoint)
    assert said.endswith(f"{folder}/gemma4-e4b-l4.yaml\n{plan_text(built.plan)}")
    assert "capacity: [spot]" in content(folder)["gemma4-e4b-l4.yaml"].decode()


@pytest.mark.parametrize(("key", "exit_code"), [(b"\x04", 2), ("interrupt", 130)])
def test_leaving_a_question_leaves_nothing_behind(key: bytes | str, exit_code: int, folder: Path, root: Path) -> None:
    before = content(folder)
    session = Session(root, "--stacks", str(folder))
    session.until("platform, by name or number [dev]: ")
    if isinstance(key, bytes):
        session.type(key)
    else:
        session.process.send_signal(signal.SIGINT)
    code, said = session.end()
    assert (code, "Traceback" in said) == (exit_code, False)
    assert content(folder) == before


def test_nothing_is_asked_where_nothing_is_missing(folder: Path, root: Path) -> None:
    code, said = Session(root, "--stacks", str(folder), *flags("--platform dev --model gemma-4-e4b-it")).end()
    assert code == 0, said
    assert "by name or number" not in said


def test_a_closed_input_does_not_hang(folder: Path, root: Path) -> None:
    command = [sys.executable, "-m", "infra.cli", "new", "--stacks", str(folder)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(
        command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 2
    assert b"missing: --platform and --model" in done.stderr
