"""The support matrix says what the records say, on every surface."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Checkpoint, Drafter, Framework
from infra.cli import main
from infra.errors import SpecError
from infra.frameworks import FRAMEWORKS
from infra.matrix import (
    build_matrix,
    matrix_json,
    matrix_markdown,
    matrix_page,
    own_matrix,
    record_text,
    table_text,
)
from infra.pipeline import Endpoint, Platform, build
from infra.plan.serving_plan import camel
from infra.spec import MANAGED_FRAMEWORKS
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

MATRIX = own_matrix()
CATALOG = load_catalog()
NAMES = list(CATALOG.frameworks)
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = "servestack matrix --markdown"
# The systems of the matrix of April 2026, and what each is called here.
FIRST_EIGHT = {
    "vLLM": ["vllm"],
    "llama.cpp": ["llamacpp"],
    "MLX": ["mlx"],
    "Keras": ["keras"],
    "TGI": ["tgi"],
    "TensorRT-LLM/NIM": ["trtllm", "nim"],
    "Gemini API": ["gemini"],
    "Vertex AI": ["vertex"],
}
every_framework = pytest.mark.parametrize("name", NAMES)


def record(name: str) -> str:
    return record_text(MATRIX.only(name).rows[0])


def json_of(name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = matrix_json(MATRIX)["frameworks"]
    return next(row for row in rows if row["name"] == name)


@pytest.mark.parametrize("system", list(FIRST_EIGHT))
def test_each_system_of_the_first_matrix_is_there_or_refused_with_evidence(system: str) -> None:
    for name in FIRST_EIGHT[system]:
        row = MATRIX.only(name).rows[0]
        assert row.facts.state in {"native", "experimental", "refused"}
        assert row.evidence
        assert all(source.what and source.date for _, source in row.evidence)
        assert row.facts.state != "refused" or row.facts.alternative in NAMES


@every_framework
def test_a_record_fits_80_columns_and_has_no_colours(name: str) -> None:
    text = record(name)
    assert max(map(len, text.splitlines())) <= 80
    assert text.isascii()
    assert all(one.isprintable() for one in text.splitlines())


def test_the_table_fits_80_columns_and_has_no_colours() -> None:
    text = table_text(MATRIX)
    assert max(map(len, text.splitlines())) <= 80
    assert all(one.isprintable() and one == one.rstrip() for one in text.splitlines())


@every_framework
def test_the_table_of_one_framework_fits_too(name: str) -> None:
    assert max(map(len, table_text(MATRIX.only(name)).splitlines())) <= 80


@every_framework
def test_the_table_has_a_row_and_inputs_of_each(name: str) -> None:
    row, inputs, *_ = [line.split() for line in table_text(MATRIX).splitlines() if line.split(" ")[0] == name]
    facts = CATALOG.frameworks[name]
    assert row[1] == facts.state
    assert (facts.default_version or "-") in row
    assert inputs[1:] == [
        "".join(one[0].upper() for one in sorted(dict(facts.inputs_by_size).get(size, ()))) or "-"
        for size in MATRIX.sizes
    ]


def test_inputs_have_different_letters() -> None:
    assert len({one[0] for one in MATRIX.inputs}) == len(MATRIX.inputs)
    assert len({name[0] for name, _ in MATRIX.rows[0].abilities}) == len(MATRIX.rows[0].abilities)


@every_framework
def test_the_record_shows_everything_that_is_known(name: str) -> None:
    facts, text = CATALOG.frameworks[name], " ".join(record(name).split())
    known = [facts.display_name, facts.state, *facts.denied_versions, *facts.metrics, *facts.precisions]
    known += [*facts.architectures, facts.default_version or "", facts.alternative or ""]
    known += [one.statement for one in facts.evidence]
    sources = read_facts("frameworks.yaml")["sources"]
    known += [f"{sources[one]['what']} ({sources[one]['date']})" for one in facts.sources]
    assert not [one for one in known if one not in text]


@every_framework
def test_the_record_lists_every_checkpoint_that_it_loads(name: str) -> None:
    published = [one for model in CATALOG.models.values() for one in model.checkpoints if name in one.frameworks]
    text = record(name)
    for one in published:
        assert f"{one.precision}: {one.repository}\n" in text, one


def test_a_version_image_and_default_are_those_of_a_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "gemma4-e4b-l4", "--json", "--stacks", str(ROOT / "stacks")]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["framework"]["image"].endswith("/dev-docker-hub/" + json_of("vllm")["imageByArchitecture"]["ada"])
    assert json_of("vllm")["defaultVersion"] == plan["framework"]["version"]


def test_a_mac_has_no_image_and_a_processor_its_own_without_the_size_of_another() -> None:
    text = record("llamacpp")
    assert json_of("llamacpp")["imageByArchitecture"]["apple"] is None
    assert "server-b11434: x86\n" in text
    assert "no container: apple\n" in text


def shipped() -> dict[str, set[str]]:
    """Frameworks of the stack files that come with the project and are deployed, with their kinds of accelerator."""
    found: dict[str, set[str]] = {}
    folder = StackFolder(ROOT / "stacks")
    for name in folder.names():
        one = build(name, folder)
        if isinstance(one, Platform) or (isinstance(one, Endpoint) and one.refusal is not None):
            continue
        accelerator = one.plan.accelerator
        found.setdefault(one.spec.framework, set()).update({accelerator.kind} if accelerator else set())
    return found


def test_what_is_said_to_be_deployed_has_a_stack_file_and_the_other_way_round() -> None:
    deployed = {row.facts.name: set(row.planned_on) for row in MATRIX.rows if row.deployed}
    with_stacks = shipped()
    assert deployed.keys() == with_stacks.keys()
    assert all(kinds <= deployed[name] for name, kinds in with_stacks.items())


@every_framework
def test_what_is_done_here_follows_from_the_frameworks(name: str) -> None:
    row, served = json_of(name), FRAMEWORKS.get(name)
    if served:
        assert row["plannedOn"] == list(served.capabilities.kinds)
    words = {"deployed": row["deployed"], "planned": bool(served)}
    expected = next((word for word, true in words.items() if true), "not yet")
    assert row["here"] == ("refused" if expected == "not yet" and row["state"] == "refused" else expected)


def test_what_google_runs_is_deployed_with_and_without_machines_of_one_s_own() -> None:
    assert set(MANAGED_FRAMEWORKS) == {one.name for one in CATALOG.frameworks.values() if one.runs == "managed"}
    assert "  here        planned for GPUs; deployed: Google runs it\n" in record("vertex")
    assert "  here        planned without machines of your own; deployed: Google runs it\n" in record("gemini")
    facts, published = read_facts("frameworks.yaml"), read_facts("checkpoints.yaml")
    assert build_matrix(CATALOG, FRAMEWORKS, facts, published).only("gemini").rows[0].here == "not yet"


def test_a_framework_without_a_workload_is_only_planned() -> None:
    served = {"vllm": dataclasses.replace(FRAMEWORKS["vllm"], workload=None)}
    facts, published = read_facts("frameworks.yaml"), read_facts("checkpoints.yaml")
    row = build_matrix(CATALOG, served, facts, published).only("vllm").rows[0]
    assert (row.here, row.deployed) == ("planned", False)
    assert "planned for GPUs, TPUs, not deployed" in record_text(row)


@every_framework
def test_json_holds_every_field_of_the_record(name: str) -> None:
    facts, row = CATALOG.frameworks[name], json_of(name)
    plain = json.loads(json.dumps(dataclasses.asdict(facts)))
    for field in dataclasses.fields(Framework):
        assert camel(field.name) in row, field.name
    for field in ("name", "state", "denied_versions", "architectures", "metrics", "tools", "hybrid_kv_since"):
        assert row[camel(field)] == plain[field]
    assert row["inputsBySize"] == dict(plain["inputs_by_size"])
    assert row["minimumVersionBySize"] == dict(plain["minimum_version_by_size"])
    assert [(one["statement"], one["source"]["name"]) for one in row["evidence"]] == [
        (one.statement, one.source) for one in facts.evidence
    ]
    assert [one["name"] for one in row["sources"]] == list(facts.sources)
    assert [one["sizeGiB"] for one in row["images"]] == [one.size_gib for one in facts.images]


@every_framework
def test_json_holds_every_field_of_checkpoints_and_drafters(name: str) -> None:
    row = json_of(name)
    for key, kind in (("checkpoints", Checkpoint), ("drafterCheckpoints", Drafter)):
        for one in row[key]:
            assert {camel(field.name) for field in dataclasses.fields(kind)} == set(one)
            assert all(source["what"] for source in one["sources"])


def test_json_is_the_same_every_time() -> None:
    assert json.dumps(matrix_json(own_matrix())) == json.dumps(matrix_json(MATRIX))
    assert [row["name"] for row in matrix_json(MATRIX)["frameworks"]] == NAMES


def test_the_table_in_the_readme_is_the_matrix() -> None:
    found = re.search(rf"<!-- matrix: {re.escape(COMMAND)} -->\n(.*?)<!-- /matrix -->", README, re.DOTALL)
    assert found, f"README.md has no block between <!-- matrix: {COMMAND} --> and <!-- /matrix -->"
    assert found[1] == matrix_markdown(MATRIX), f"put the output of `{COMMAND}` between the markers in README.md"


def test_a_table_in_markdown_keeps_its_columns_whatever_a_name_holds() -> None:
    facts = dataclasses.replace(CATALOG.frameworks["vllm"], display_name="a|b")
    row = dataclasses.replace(MATRIX.only("vllm").rows[0], facts=facts)
    lines = matrix_markdown(dataclasses.replace(MATRIX, rows=(row,))).splitlines()
    assert len({line.count("|") for line in lines}) == 1


def test_an_unknown_framework_is_told_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SpecError):
        MATRIX.only("vlm")
    assert main(["matrix", "vlm"]) == 2
    assert "framework: unknown 'vlm'. Did you mean 'vllm'? Known: gemini," in capsys.readouterr().err


def test_the_verb_prints_each_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "matrix.html"
    forms = {
        (): table_text(MATRIX),
        ("vllm",): record("vllm"),
        ("--json",): json.dumps(matrix_json(MATRIX), indent=2) + "\n",
        ("--markdown",): matrix_markdown(MATRIX),
        ("vllm", "--json"): json.dumps(matrix_json(MATRIX.only("vllm")), indent=2) + "\n",
        ("--html", str(file)): table_text(MATRIX),
    }
    for arguments, expected in forms.items():
        assert main(["matrix", *arguments]) == 0
        assert capsys.readouterr().out == expected
    assert file.read_text(encoding="utf-8") == matrix_page(MATRIX)
