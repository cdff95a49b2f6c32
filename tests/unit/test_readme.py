"""What the documents show is what the program says."""

from __future__ import annotations

import re

import pytest

from infra.pipeline import Endpoint, build
from infra.report import plan_text
from infra.spec import EndpointSpec, PlatformSpec
from infra.stack_folder import StackFolder
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_plan_in_the_readme_is_the_plan() -> None:
    built = build("gemma4-e4b-l4", StackFolder(ROOT / "stacks"))
    assert isinstance(built, Endpoint)
    assert plan_text(built.plan) in README


def test_the_stack_file_in_the_readme_is_the_file() -> None:
    assert (ROOT / "stacks" / "gemma4-e4b-l4.yaml").read_text(encoding="utf-8") in README


def test_the_first_screen_has_the_two_commands() -> None:
    first = "\n".join(README.splitlines()[:25])
    assert "make up STACK=gemma4-31b-h100" in first
    assert "make test" in first


@pytest.mark.parametrize("schema", [EndpointSpec, PlatformSpec])
def test_every_field_of_a_stack_file_is_documented(schema: type[EndpointSpec | PlatformSpec]) -> None:
    text = (ROOT / "docs" / "stack-files.md").read_text(encoding="utf-8")
    assert not [name for name in schema.model_fields if name not in text]


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_links_between_documents_lead_somewhere(path: object) -> None:
    from pathlib import Path

    file = Path(str(path))
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text(encoding="utf-8")):
        if not target.startswith("http"):
            assert (file.parent / target).exists(), target
