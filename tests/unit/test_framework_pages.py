"""Each framework has one short page; what pages show is what the files, the catalogue and the program say."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from infra.catalog.loader import load_catalog, read_facts
from infra.catalog.records import Framework
from infra.cli import _parser
from infra.matrix import own_matrix
from infra.pipeline import build
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

PAGES = ROOT / "docs" / "frameworks"
STACKS = ROOT / "stacks"
CATALOG = load_catalog()
SOURCES = read_facts("frameworks.yaml")["sources"]
NAMES = sorted(CATALOG.frameworks)
HEADINGS = (
    "Good for, and not",
    "A stack",
    "Commands, and what comes up",
    "What the plan proves",
    "Fields of the stack file",
    "Versions and images",
    "Known faults",
    "More",
)
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    """Text of a framework's page."""
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading."""
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def shown_files(text: str) -> dict[str, str]:
    """Stack files of a page, by the name in the line before each."""
    found = re.findall(r"^`stacks/([a-z0-9-]+)\.yaml`[^\n]*:\n```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(found) == text.count("```yaml"), "each stack file has a line before it: `stacks/X.yaml`:"
    return dict(found)


def commands(text: str) -> list[list[str]]:
    """Command lines of a document, without comments: those in code spans of one line, and in fences of no language."""
    lines = [line for language, block in FENCE.findall(text) if not language for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    split = [re.split(r"\s*(?:&&|\|)\s*", re.sub(r"\s+#.*", "", line)) for line in lines]
    return [shlex.split(one) for line in split for one in line if re.match(r"(servestack|make|pulumi) ", one)]


def evidence_rows(facts: Framework) -> list[str]:
    """Rows of the catalogue's evidence, with sources and dates."""
    of = {one.statement: SOURCES[one.source] for one in facts.evidence}
    return [f"| {statement} | {source['what']} | {source['date']} |" for statement, source in of.items()]


def version_rows(facts: Framework) -> list[str]:
    """Lines on versions and images, as the catalogue pins them."""
    if facts.default_version is None:
        return []
    floor = facts.minimum_version or ""
    oldest = [f"`{floor}`"]
    oldest += [f"`{of}` of {size}" for size, of in facts.minimum_version_by_size if _ordered(of) > _ordered(floor)]
    denied = ", ".join(f"`{one}`" for one in facts.denied_versions) or "none"
    lines = [f"Versions: default `{facts.default_version}`; oldest {', '.join(oldest)}; denied: {denied}."]
    images = [
        f"`{one.reference.replace('{version}', facts.default_version)}` on {', '.join(one.architectures) or 'GPUs'}"
        for one in facts.images
    ]
    return lines + ([f"Images: {', '.join(images)}."] if images else [])


def _ordered(version: str) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", version))


def anchors(text: str) -> set[str]:
    """Anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_framework_has_one_page_and_no_page_is_left_over() -> None:
    assert sorted(one.stem for one in PAGES.glob("*.md")) == sorted([*NAMES, "README"])


def test_the_index_names_every_framework_once_with_its_state() -> None:
    text = (PAGES / "README.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "](" in line and "|" in line
    ]
    of = {row[0]: row for row in rows}
    assert len(rows) == len(of) == len(NAMES)
    for facts in CATALOG.frameworks.values():
        row = of[facts.display_name]
        assert row[1] == facts.state
        assert row[-1] == f"[{facts.name}.md]({facts.name}.md)"


@pytest.mark.parametrize("name", NAMES)
def test_pages_have_the_same_headings_and_are_short(name: str) -> None:
    text = page(name)
    assert text.splitlines()[0] == f"# {CATALOG.frameworks[name].display_name}"
    assert tuple(re.findall(r"^## (.+)$", text, re.MULTILINE)) == HEADINGS
    assert len(text.splitlines()) <= 80
    assert max(len(line) for line in text.splitlines()) < 400


@pytest.mark.parametrize("name", NAMES)
def test_stack_files_of_a_page_are_the_files(name: str, tmp_path: Path) -> None:
    """One that is not in the folder must plan there, beside the others."""
    text = page(name)
    files = shown_files(section(text, "A stack"))
    assert files
    shutil.copytree(STACKS, tmp_path / "stacks")
    for stack, content in files.items():
        if (STACKS / f"{stack}.yaml").exists():
            assert (STACKS / f"{stack}.yaml").read_text(encoding="utf-8") == content
        (tmp_path / "stacks" / f"{stack}.yaml").write_text(content, encoding="utf-8")
    served = {yaml.safe_load(content).get("framework") for content in files.values()} - {None}
    assert served == {CATALOG.frameworks[name].alternative or name}
    for stack in files:
        build(stack, StackFolder(tmp_path / "stacks"))


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_the_matrix_and_a_plan(name: str) -> None:
    found = commands(page(name))
    assert ["servestack", "matrix", name] in found
    assert any(words[:2] == ["servestack", "plan"] for words in found)


@pytest.mark.parametrize("name", [*NAMES, "README"])
def test_commands_of_a_page_parse_and_name_stacks_and_frameworks_that_are_there(name: str) -> None:
    text = page(name)
    known = {one.stem for one in STACKS.glob("*.yaml")} | set(shown_files(text))
    for words in commands(text):
        named = [one.partition("=")[2] for one in words if one.startswith("STACK=")]
        if words[0] == "pulumi":
            named += [words[at + 1] for at, one in enumerate(words) if one in ("-s", "-c")]
        if words[0] == "servestack":
            options = _parser().parse_args(words[1:])
            given = getattr(options, "stack", None) or []
            named += [given] if isinstance(given, str) else given
            assert getattr(options, "framework", None) in {None, *NAMES}
        assert set(named) <= known, words


@pytest.mark.parametrize("name", NAMES)
def test_pages_give_the_evidence_of_the_catalogue_with_source_and_date(name: str) -> None:
    rows = [line for line in section(page(name), HEADINGS[0]).splitlines() if re.search(r"\d{4}-\d\d-\d\d \|$", line)]
    assert rows == evidence_rows(CATALOG.frameworks[name])
    assert len(rows) == len(own_matrix().only(name).rows[0].evidence)


@pytest.mark.parametrize("name", NAMES)
def test_versions_and_images_are_those_of_the_catalogue(name: str) -> None:
    text = section(page(name), "Versions and images")
    rows = [line for line in text.splitlines() if re.match(r"(Versions|Images):", line)]
    assert rows == version_rows(CATALOG.frameworks[name])


def test_the_page_of_vertex_names_the_container_of_the_catalogue() -> None:
    (container,) = read_facts("managed.yaml")["containers"]
    assert f"`{container['image']}`" in section(page("vertex"), "Versions and images")
    assert f"its vLLM is {container['engine_version']}" in section(page("vertex"), "Known faults")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: str(one.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", document.read_text(encoding="utf-8"))):
        if re.match(r"https?:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (document.parent / file).resolve() if file else document
        assert found.exists(), target
        assert not anchor or anchor in anchors(found.read_text(encoding="utf-8")), target


def test_the_rule_for_links_sees_a_wrong_anchor() -> None:
    assert anchors("# A b\n```\n# c\n```\n## Who `may` call?\n") == {"a-b", "who-may-call"}
