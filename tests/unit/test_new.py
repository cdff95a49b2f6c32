"""`servestack new` with flags: what it writes plans, and nothing else is ever written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.cli import main
from infra.errors import SpecError, StackError
from infra.managed_report import endpoint_text
from infra.new_stack import Draft
from infra.offers import accelerator_offers, complete, framework_offers
from infra.pipeline import Endpoint, ManagedEndpoint, build
from infra.report import plan_text
from infra.stack_folder import StackFolder
from tests.unit.files import CLOUD, HOST, PLATFORM, Files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "dev.yaml").write_text(PLATFORM, encoding="utf-8")
    (tmp_path / "schema.json").write_text("{}", encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*arguments: str) -> tuple[int, str, str]:
        try:
            code = main(["new", "--stacks", str(folder), *arguments])
        except SystemExit as left:
            code = int(str(left.code))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def content(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def flags(text: str) -> list[str]:
    return text.split()


FLAGS = [
    ("--model gemma-4-31b-it --accelerator h100 --framework vllm", "gemma4-31b-h100"),
    ("--model gemma-4-31b-it --accelerator h100 --capacity spot", "gemma4-31b-h100"),
    ("--model gemma-4-31b-it --accelerator h100 --count 2 --capacity spot,flex-start", "gemma4-31b-h100"),
    ("--model gemma-4-e4b-it --accelerator l4 --framework llamacpp --precision q8_0", "gemma4-e4b-q8-0-l4-llamacpp"),
    ("--model gemma-4-e4b-it --accelerator l4 --context 8192 --concurrency 4 --inputs text", "gemma4-e4b-l4"),
    ("--model gemma-4-e4b-it --accelerator l4 --tools --reasoning --concurrency 1", "gemma4-e4b-l4"),
    ("--model gemma-4-e4b --accelerator l4 --suffix team", "gemma4-e4b-base-l4-team"),
    ("--model gemma-4-12b-it --accelerator any", "gemma4-12b-l4"),
    ("--model gemma-4-12b-it", "gemma4-12b-l4"),
]


@pytest.mark.parametrize(("text", "name"), FLAGS)
def test_what_is_written_plans_again_to_what_was_shown(
    text: str, name: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = run("--platform", "dev", *flags(text))
    assert (code, err) == (0, "")
    assert out.startswith(f"{folder}/{name}.yaml\n")
    built = build(name, StackFolder(folder))
    assert isinstance(built, Endpoint)
    assert out.endswith(f"\n{plan_text(built.plan)}")
    assert sorted(content(folder)) == ["dev.yaml", f"{name}.yaml", "schema.json"]


MANAGED = [
    ("--platform cloud --model gemma-4-31b-it", "gemma4-31b-vertex", ["accelerator: h100", "framework: vertex"]),
    ("--platform cloud --model gemma-4-e4b-it", "gemma4-e4b-vertex", ["accelerator: rtxpro6000", "framework: vertex"]),
    (
        "--platform dev --model gemma-4-e4b-it --framework vertex --accelerator h100 --capacity spot --suffix team",
        "gemma4-e4b-vertex-team",
        ["accelerator: h100", "framework: vertex", "capacity: [spot]"],
    ),
    ("--platform cloud --model gemma-4-31b-it --framework gemini", "gemma4-31b-gemini", ["framework: gemini"]),
    (
        "--platform dev --model gemma-4-26b-a4b-it --framework gemini --accelerator any --tools --reasoning",
        "gemma4-26b-a4b-gemini",
        ["framework: gemini", "tools: true", "reasoning: true"],
    ),
    (
        "--platform dev --model gemma-4-26b-a4b-it --serverless --context 4096",
        "gemma4-26b-a4b-vertex-serverless",
        ["framework: vertex", "vertex: {serverless: true}", "contextLength: 4096"],
    ),
]


@pytest.mark.parametrize(("text", "name", "lines"), MANAGED)
def test_a_file_of_an_endpoint_that_google_runs_has_what_it_needs_and_plans(
    text: str, name: str, lines: list[str], folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    (folder / "cloud.yaml").write_text(CLOUD, encoding="utf-8")
    code, out, err = run(*flags(text))
    assert (code, err) == (0, "")
    assert sorted(content(folder)) == ["cloud.yaml", "dev.yaml", f"{name}.yaml", "schema.json"]
    written = content(folder)[f"{name}.yaml"].decode().splitlines()
    assert written[:4] == [
        "# yaml-language-server: $schema=schema.json",
        "apiVersion: servestack/v1",
        "kind: Endpoint",
        f"platform: {text.split()[1]}",
    ]
    assert written[5:] == lines
    built = build(name, StackFolder(folder))
    assert isinstance(built, ManagedEndpoint)
    assert out.endswith(f"\n{endpoint_text(built.plan)}")


MANAGED_REFUSED = [
    ("dev", "gemma-4-31b-it --framework gemini --accelerator h100", 2, "accelerator: the Gemini API runs on Google's"),
    ("dev", "gemma-4-31b-it --framework gemini --concurrency 2", 2, "concurrency: the Gemini API runs on Google's"),
    ("dev", "gemma-4-31b-it --framework vllm --serverless", 2, "vertex: only managed endpoints have it"),
    ("dev", "gemma-4-e4b-it --framework gemini", 3, "model: the Gemini API does not serve gemma-4-e4b-it."),
    ("dev", "gemma-4-31b-it --serverless", 3, "model: Vertex AI serverless does not serve gemma-4-31b-it."),
    ("dev", "gemma-4-26b-a4b-it --serverless --reasoning", 3, "reasoning: Vertex AI serverless has no reasoning"),
    ("cloud", "gemma-4-31b-it --framework vllm", 3, "platform: platform cloud has no machines"),
    ("cloud", "gemma-4-31b-it --framework vllm --accelerator h100", 3, "platform: platform cloud has no machines"),
    ("cloud", "gemma-4-31b-it --accelerator l4", 3, "accelerator: Model Garden was not seen to offer gemma-4-31b-it"),
    ("cloud", "gemma-4-31b-it --accelerator tpu-v6e", 3, "accelerator: Vertex AI has no tpu-v6e. Write h100"),
    ("cloud", "gemma-4-31b-it --context 200000", 3, "accelerator: does not fit. Vertex AI Model Garden"),
    ("cloud", "gemma-4-31b", 3, "model: Vertex AI Model Garden has the instruction-tuned models alone;"),
    ("cloud", "gemma-4-e2b-it", 3, "No machine of Model Garden is known for gemma-4-e2b-it; use framework: vllm."),
    ("cloud", "gemma-4-12b-it", 3, "vertex: {container: verified} (docs/managed.md)"),
    ("mac", "gemma-4-31b-it --framework gemini", 3, "platform: Gemini API needs a project of Google Cloud;"),
    ("mac", "gemma-4-31b-it --framework vertex", 3, "platform: Vertex AI Model Garden needs a project of Google"),
]


@pytest.mark.parametrize(("platform", "text", "exit_code", "message"), MANAGED_REFUSED)
def test_what_google_does_not_run_is_explained_and_nothing_is_written(
    platform: str, text: str, exit_code: int, message: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    (folder / "cloud.yaml").write_text(CLOUD, encoding="utf-8")
    (folder / "mac.yaml").write_text(HOST, encoding="utf-8")
    before = content(folder)
    code, out, err = run("--platform", platform, "--model", *flags(text))
    assert (code, out) == (exit_code, "")
    assert message in " ".join(err.split())
    assert max(map(len, err.splitlines())) <= 80
    assert content(folder) == before


def test_what_google_runs_is_not_chosen_where_there_is_a_cluster() -> None:
    for model in ("gemma-4-31b-it", "gemma-4-26b-a4b-it"):
        offers = accelerator_offers(Draft(platform="dev", model=model), Files())
        found = {str(one.draft.framework) for one in offers}
        for offer in offers[:2]:
            found |= {str(one.draft.framework) for one in framework_offers(offer.draft, Files())}
        assert not found & {"gemini", "vertex"}


def test_the_file_has_the_shape_of_those_in_the_project(
    folder: Path, run: Callable[..., tuple[int, str, str]], root: Path
) -> None:
    assert run(*flags("--platform dev --model gemma-4-e4b-it --accelerator l4"))[0] == 0
    assert content(folder)["gemma4-e4b-l4.yaml"] == (root / "stacks" / "gemma4-e4b-l4.yaml").read_bytes()


def test_keys_have_their_order_and_defaults_are_left_out(
    folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    (folder / "schema.json").unlink()
    asked = "--capacity spot,on-demand --reasoning --tools --inputs text,image --concurrency 2 --context 4096 --count 1"
    code, _, _ = run(*flags(f"--platform dev --model gemma-4-e4b-it --accelerator l4 --precision bf16 {asked}"))
    assert code == 0
    assert content(folder)["gemma4-e4b-l4.yaml"].decode() == (
        "apiVersion: servestack/v1\nkind: Endpoint\nplatform: dev\nmodel: gemma-4-e4b-it\n"
        "accelerator: {type: l4, count: 1}\nframework: vllm\nprecision: bf16\ncontextLength: 4096\nconcurrency: 2\n"
        "inputs: [text, image]\ntools: true\nreasoning: true\ncapacity: [spot, on-demand]\n"
    )


def test_a_reservation_and_words_that_yaml_reads_as_values_survive() -> None:
    files = Files(true=PLATFORM)
    draft = Draft(platform="true", model="gemma-4-e4b-it", accelerator="l4", capacity=("reservation:off", "spot"))
    assert "capacity: [reservation: 'off', spot]" in complete(draft, files).text.replace("{", "").replace("}", "")
    new = complete(Draft(platform="true", model="gemma-4-e4b-it", accelerator="l4"), files)
    assert "platform: 'true'\n" in new.text


REFUSED = [
    ("--accelerator l4 --concurrency 1000", 3, "accelerator: does not fit"),
    ("--accelerator h100 --count 1 --capacity on-demand", 3, "capacity: Compute Engine does not sell a3-highgpu-1g"),
    ("--accelerator l4 --framework tgi", 3, "framework: Text Generation Inference "),
    ("--context 262144 --concurrency 1024", 3, "No accelerator can serve this:\n"),
    ("--inputs audio,text", 3, "inputs[0]: gemma-4-31b-it takes no audio."),
    ("--accelerator h1oo", 2, "accelerator: unknown 'h1oo'. Did you mean 'h100'?"),
    ("--accelerator l4 --context 3", 2, "contextLength: should be greater than or equal to 256, not 3."),
    ("--count 0", 2, "accelerator.count: should be greater than or equal to 1, not 0."),
    ("--capacity free", 2, "capacity[0]: unknown 'free'."),
    ("--capacity spot,spot", 2, "capacity: spot stands twice"),
    ("--precision fp3", 2, "precision: unknown 'fp3'."),
    ("--platform nowhere", 2, "platform: unknown 'nowhere'. Known: dev."),
    ("--suffix l4", 2, "suffix: 'l4' cannot end a stack name"),
    ("--count two", 2, "invalid int value: 'two'"),
]


@pytest.mark.parametrize(("text", "exit_code", "message"), REFUSED)
def test_what_is_refused_is_explained_and_nothing_is_written(
    text: str, exit_code: int, message: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    before = content(folder)
    code, out, err = run("--platform", "dev", "--model", "gemma-4-31b-it", *flags(text))
    assert (code, out) == (exit_code, "")
    assert message in err
    assert content(folder) == before


HOSTILE = [
    "x\nreplicas: {min: 100}",
    "dev\n",
    "{a: b}",
    "*x",
    "!!python/x",
    "../dev",
    "/etc/passwd",
    "a: b",
    "#",
    "",
    "é",
]


@pytest.mark.parametrize("field", ["platform", "model", "accelerator", "framework", "precision", "suffix"])
@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_answers_are_refused(
    field: str, value: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    before = content(folder)
    good = {"platform": "dev", "model": "gemma-4-e4b-it", "accelerator": "l4"}
    code, out, err = run(*(f"--{key}={one}" for key, one in (good | {field: value}).items()))
    assert (code, out) == (2, "")
    assert err.startswith(f"{field}: ")
    assert content(folder) == before


@pytest.mark.parametrize("value", [one for one in HOSTILE if one.strip() != "dev"])  # a word, once it is stripped
@pytest.mark.parametrize("option", ["--inputs=", "--capacity=", "--capacity=reservation:"])
def test_hostile_words_of_lists_are_refused(
    option: str, value: str, folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    before = content(folder)
    code, out, _ = run(*flags("--platform dev --model gemma-4-e4b-it --accelerator l4"), f"{option}{value}")
    assert (code in {2, 3}, out) == (True, "")
    assert content(folder) == before


def test_an_existing_file_is_not_touched_and_a_suffix_helps(
    folder: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    wanted = flags("--platform dev --model gemma-4-e4b-it --accelerator l4")
    (folder / "gemma4-e4b-l4.yaml").write_text("mine", encoding="utf-8")
    for more in ([], ["--dry-run"]):
        code, out, err = run(*wanted, *more)
        assert (code, out) == (2, "")
        assert "gemma4-e4b-l4.yaml exists and stays as it is" in err
        assert "--suffix WORD" in err
    assert (folder / "gemma4-e4b-l4.yaml").read_text(encoding="utf-8") == "mine"
    assert run(*wanted, "--suffix", "two")[0] == 0
    assert (folder / "gemma4-e4b-l4-two.yaml").exists()


def test_a_dry_run_shows_the_file_and_writes_nothing(folder: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    before = content(folder)
    code, out, _ = run(*flags("--platform dev --model gemma-4-e4b-it --accelerator l4 --dry-run"))
    assert code == 0
    assert "gemma4-e4b-l4.yaml, not written:\n\n# yaml-language-server: $schema=schema.json\napiVersion" in out
    assert content(folder) == before


def test_the_cheapest_is_named_with_its_price_and_the_next(run: Callable[..., tuple[int, str, str]]) -> None:
    _, out, _ = run(*flags("--platform dev --model gemma-4-31b-it --accelerator any"))
    said = " ".join(out.split())
    offers = accelerator_offers(Draft(platform="dev", model="gemma-4-31b-it"), Files())
    deployed = [one for one in offers if one.endpoint.refusal is None]
    assert deployed[0].draft.accelerator == "cpu", "cheaper, but slow: it is taken only where it is asked for"
    first, second = [one for one in deployed if one.draft.accelerator != "cpu"][:2]
    assert f"{first.draft.accelerator} is the cheapest that fits with vllm: {first.price_text}; next " in said
    assert f"next {second.draft.accelerator}: {second.price_text}." in said
    assert max(len(line) for line in out.splitlines()[1:]) <= 80


def test_without_a_terminal_the_missing_flags_are_named(run: Callable[..., tuple[int, str, str]]) -> None:
    assert run()[::2] == (2, "missing: --platform and --model. Without a terminal nothing is asked.\n")
    assert run("--platform", "dev")[::2] == (2, "missing: --model. Without a terminal nothing is asked.\n")


def test_a_folder_without_platform_says_how_to_make_one(folder: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    (folder / "dev.yaml").unlink()
    code, _, err = run(*flags("--platform dev --model gemma-4-e4b-it"))
    assert code == 2
    assert "dev.yaml first:\n  apiVersion: servestack/v1\n  kind: Platform\n" in err


def test_a_missing_folder_is_no_place_to_write(tmp_path: Path, run: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = run("--stacks", str(tmp_path / "none"), *flags("--platform dev --model gemma-4-e4b-it"))
    assert code == 2
    assert "no such folder" in err


def test_without_a_folder_of_stacks_those_of_the_installation_are_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", *flags("--platform dev --model gemma-4-e2b-it --accelerator l4")]) == 2
    assert "stacks: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../x", "a/b", "x\n", "", ".x", "X"])
def test_no_name_leads_out_of_the_folder(name: str, folder: Path) -> None:
    before = content(folder)
    with pytest.raises(SpecError, match="is not a stack name"):
        StackFolder(folder).create(name, "text")
    assert content(folder) == before


def test_a_link_to_nothing_is_an_existing_file(folder: Path) -> None:
    (folder / "taken.yaml").symlink_to(folder / "elsewhere")
    with pytest.raises(SpecError, match="exists and stays"):
        StackFolder(folder).create("taken", "text")
    assert not (folder / "elsewhere").exists()


def test_of_two_at_once_one_writes_and_nothing_else_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = StackFolder(folder)
    real = Path.hardlink_to

    def late(self: Path, target: Path) -> None:
        self.write_text("the other's", encoding="utf-8")
        real(self, target)

    monkeypatch.setattr(Path, "hardlink_to", late)
    with pytest.raises(SpecError, match="exists and stays"):
        place.create("taken", "mine")
    assert sorted(content(folder)) == ["dev.yaml", "schema.json", "taken.yaml"]
    assert content(folder)["taken.yaml"] == b"the other's"


def test_a_file_system_without_links_gets_the_file_and_clobbers_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", none)
    StackFolder(folder).create("new-one", "text")
    assert content(folder)["new-one.yaml"] == b"text"
    with pytest.raises(SpecError, match="exists and stays"):
        StackFolder(folder).create("new-one", "other")
    assert sorted(content(folder)) == ["dev.yaml", "new-one.yaml", "schema.json"]


def test_a_failed_write_leaves_nothing_behind(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    before = content(folder)
    with pytest.raises(StackError, match="cannot be written: No space left on device"):
        StackFolder(folder).create("new-one", "text")
    assert content(folder) == before


def test_a_new_file_is_readable_like_any_other(folder: Path) -> None:
    StackFolder(folder).create("new-one", "text")
    (folder / "plain").touch()
    assert (folder / "new-one.yaml").stat().st_mode == (folder / "plain").stat().st_mode
