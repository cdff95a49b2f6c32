"""The support matrix says what the records say, on every surface."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Catalog, Checkpoint, Drafter, Evidence, Framework, Image
from infra.cli import main
from infra.errors import SpecError
from infra.frameworks import FRAMEWORKS
from infra.matrix import (
    Matrix,
    build_matrix,
    matrix_json,
    matrix_markdown,
    matrix_page,
    own_matrix,
    record_text,
    table_text,
)
from infra.plan.serving_plan import _camel
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
HOSTILE = "<script>alert('x')</script>\"&"
every_framework = pytest.mark.parametrize("name", NAMES)


class Page(HTMLParser):
    """Tags, attributes and text of a page, every tag closed in its turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def record(name: str) -> str:
    return record_text(MATRIX.only(name).rows[0])


def json_of(name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = matrix_json(MATRIX)["frameworks"]
    return next(row for row in rows if row["name"] == name)


def hostile() -> Matrix:
    """A matrix whose only framework tries to break out of the page wherever a record holds text."""
    facts = dataclasses.replace(
        CATALOG.frameworks["vllm"],
        name=HOSTILE,
        display_name=HOSTILE,
        default_version=HOSTILE,
        images=(Image((), HOSTILE, None),),
        precisions=(HOSTILE,),
        metrics=(HOSTILE,),
        evidence=(Evidence(HOSTILE, HOSTILE),),
        sources=(HOSTILE,),
    )
    model = CATALOG.models["gemma-4-e2b-it"]
    checkpoint = dataclasses.replace(
        model.checkpoints[0], repository=HOSTILE, precision=HOSTILE, format="safetensors", frameworks=(HOSTILE,)
    )
    catalog: Catalog = dataclasses.replace(
        CATALOG,
        frameworks={HOSTILE: facts},
        models={model.id: dataclasses.replace(model, checkpoints=(checkpoint,), drafters=())},
    )
    sources = {"checked": HOSTILE, "sources": {HOSTILE: {"what": HOSTILE, "date": HOSTILE}}}
    return build_matrix(catalog, {}, sources, read_facts("checkpoints.yaml"))


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
    assert json_of("vllm")["imageByArchitecture"]["ada"] == plan["framework"]["image"]
    assert json_of("vllm")["defaultVersion"] == plan["framework"]["version"]


def test_a_mac_has_no_image_and_a_processor_its_own_without_the_size_of_another() -> None:
    text = record("llamacpp")
    assert json_of("llamacpp")["imageByArchitecture"]["apple"] is None
    assert "server-b11434: x86\n" in text
    assert "no container: apple\n" in text


@every_framework
def test_what_is_done_here_follows_from_the_frameworks(name: str) -> None:
    row = json_of(name)
    served = FRAMEWORKS.get(name)
    assert row["deployed"] == (served is not None and served.workload is not None)
    assert row["plannedOn"] == (list(served.capabilities.kinds) if served else [])
    words = {"deployed": row["deployed"], "planned": bool(served)}
    expected = next((word for word, true in words.items() if true), "not yet")
    assert row["here"] == ("refused" if expected == "not yet" and row["state"] == "refused" else expected)


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
        assert _camel(field.name) in row, field.name
    for field in ("name", "state", "denied_versions", "architectures", "metrics", "tools", "hybrid_kv_since"):
        assert row[_camel(field)] == plain[field]
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
            assert {_camel(field.name) for field in dataclasses.fields(kind)} == set(one)
            assert all(source["what"] for source in one["sources"])


def test_json_is_the_same_every_time() -> None:
    assert json.dumps(matrix_json(own_matrix())) == json.dumps(matrix_json(MATRIX))
    assert [row["name"] for row in matrix_json(MATRIX)["frameworks"]] == NAMES


def test_hostile_text_is_text_in_the_page() -> None:
    text = matrix_page(hostile())
    assert "<script" not in text
    page = Page(text)
    assert "script" not in page.tags
    assert page.text.count(HOSTILE) >= 10
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_the_page_is_self_contained() -> None:
    page = Page(matrix_page(MATRIX))
    policy = next(value for _, name, value in page.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'")
    links = [value for _, name, value in page.attributes if name in {"href", "src"}]
    assert links
    assert all(one.startswith("#") or one == "data:," for one in links)
    assert "url(" not in matrix_page(MATRIX)
    assert "@import" not in matrix_page(MATRIX)
    assert "prefers-color-scheme: dark" in matrix_page(MATRIX)


def test_every_table_of_the_page_has_a_caption_and_headings() -> None:
    page = Page(matrix_page(MATRIX))
    assert page.tags.count("caption") == page.tags.count("table") > 2
    scopes = [value for tag, name, value in page.attributes if tag == "th" and name == "scope"]
    assert len(scopes) == page.tags.count("th")
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(set(ids)) == len(ids)
    targets = [value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")]
    assert set(targets) <= set(ids)


@every_framework
def test_the_page_shows_every_statement_with_its_date(name: str) -> None:
    text = " ".join(Page(matrix_page(MATRIX)).text.split())
    for statement, source in MATRIX.only(name).rows[0].evidence:
        assert f"{statement} {source.what} ({source.date})" in text


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


def test_a_page_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["matrix", "--html", str(tmp_path / "none" / "x.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err
