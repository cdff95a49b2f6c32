"""The page of the support matrix: hostile text is text, nothing is fetched, tables can be read aloud."""

from __future__ import annotations

import dataclasses
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Catalog, Evidence, Image
from infra.cli import main
from infra.matrix import Matrix, build_matrix, matrix_page, own_matrix

MATRIX = own_matrix()
CATALOG = load_catalog()
HOSTILE = "<script>alert('x')</script>\"&"


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


@pytest.mark.parametrize("name", list(CATALOG.frameworks))
def test_the_page_shows_every_statement_with_its_date(name: str) -> None:
    text = " ".join(Page(matrix_page(MATRIX)).text.split())
    for statement, source in MATRIX.only(name).rows[0].evidence:
        assert f"{statement} {source.what} ({source.date})" in text


def test_a_page_that_cannot_be_written_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["matrix", "--html", str(tmp_path / "none" / "x.html")]) == 1
    assert "cannot be written" in capsys.readouterr().err
