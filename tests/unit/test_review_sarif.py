"""Each danger of a review stands at its line in SARIF that the official schema and GitHub's own rules accept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
from hypothesis import given, settings

from infra.review import GRAVITY, Danger, Reviews
from infra.review.kinds import DANGER_KINDS
from infra.review_sarif import review_sarif
from tests.unit.files import PLATFORM
from tests.unit.review_repository import Repository
from tests.unit.review_samples import E4B, HIDDEN, Hidden, reviews

# Its `$comment` says where it comes from.
FACTS = Path(__file__).resolve().parents[1] / "facts" / "sarif-schema-2.1.0.json"
SCHEMA = jsonschema.Draft7Validator(json.loads(FACTS.read_text(encoding="utf-8")))
NAME = "gemma4-e4b-l4"


def assert_valid(log: dict[str, Any]) -> list[dict[str, Any]]:
    """By the schema, and by what GitHub asks beyond it (docs.github.com, `SARIF support for code scanning`)."""
    SCHEMA.validate(json.loads(json.dumps(log)))
    assert len(log["runs"]) == 1
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert all(rule[key]["text"] for key in ("shortDescription", "fullDescription", "help"))
        assert len(rule["id"]) <= 255
        assert len(rule["shortDescription"]["text"]) <= 1024
    results: list[dict[str, Any]] = run["results"]
    assert len(results) <= 25_000
    for one in results:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert len(one["locations"]) == 1
        place = one["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1
        assert place["region"]["startColumn"] >= 1
        assert re.fullmatch(r"([A-Za-z0-9._~/-]|%[0-9A-F]{2}|[!$&'()*+,;=@])*", place["artifactLocation"]["uri"])
        assert not urlsplit(place["artifactLocation"]["uri"]).scheme
        assert one["partialFingerprints"]
    return results


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(dev=PLATFORM, gemma4_e4b_l4=E4B)
    return made


def sarif(repository: Repository, code: int = 0) -> list[dict[str, Any]]:
    file = repository.folder.parent / "review.sarif"
    assert repository.review("--sarif", str(file)) == code
    return assert_valid(json.loads(file.read_text(encoding="utf-8")))


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_hidden_danger_is_annotated_on_its_line(hidden: Hidden, repository: Repository) -> None:
    repository.commit(gemma4_e4b_l4=hidden.before)
    repository.commit(gemma4_e4b_l4=hidden.after)
    results = [one for one in sarif(repository, hidden.code) if one["ruleId"] == hidden.kind]
    assert results
    for one in results:
        place = one["locations"][0]["physicalLocation"]
        text = (repository.folder / unquote(place["artifactLocation"]["uri"])).read_text(encoding="utf-8")
        assert text.splitlines()[place["region"]["startLine"] - 1].startswith(hidden.line)
    assert any(hidden.said in one["message"]["text"] for one in results)
    assert results[0]["message"]["text"].startswith(f"{NAME}: ")
    assert results[0]["level"] == ("warning" if hidden.kind in ("cost", "revision-changed") else "error")


def test_what_is_no_danger_is_not_annotated(repository: Repository) -> None:
    repository.commit(gemma4_e4b_l4="# a word\n" + E4B)
    assert sarif(repository) == []


def test_a_danger_is_the_same_one_after_its_line_moved(repository: Repository) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    first = sarif(repository)
    repository.git("reset", "-q", "--hard", "HEAD~1")
    repository.commit(gemma4_e4b_l4="# a word\n\n" + E4B + "replicas: {min: 3}\n")
    second = sarif(repository)
    lines = [one[0]["locations"][0]["physicalLocation"]["region"]["startLine"] for one in (first, second)]
    assert lines[1] == lines[0] + 2
    assert [one["partialFingerprints"] for one in first] == [one["partialFingerprints"] for one in second]


def test_every_kind_of_danger_has_a_rule_in_order_of_gravity() -> None:
    assert tuple(DANGER_KINDS) == GRAVITY


@settings(max_examples=60, deadline=None)
@given(reviews())
def test_hostile_text_stays_text(found: Reviews) -> None:
    for one in assert_valid(review_sarif(found)):
        text = one["message"]["text"]
        assert text.isprintable()
        assert re.search(r"(?<!\\)(\\\\)*[\[\]]", text) is None


@pytest.mark.parametrize("path", ["a b/c#d?e%f.yaml", "a:b/c.yaml", "ä/ü.yaml", "[x]/{y}.yaml"])
def test_a_path_comes_back_whole_from_its_reference(path: str) -> None:
    found = one_review(Danger("cost", "x", path))
    uri = assert_valid(review_sarif(found))[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert unquote(urlsplit(uri).path) == path
    assert "%3A" in uri or ":" not in path


def one_review(*dangers: Danger) -> Reviews:
    from infra.review.records import Fleet, Review

    nothing = (None, None, None, None, None, None)
    stack = Review("one", "one.yaml", "changed", "", None, "x", "", dangers, (), *nothing, 0, (), (), ())
    fleet = Fleet(0, (), 0, 0, 0)
    return Reviews("a", "b", (stack,), (), fleet, fleet, None, ())


def test_no_more_results_than_are_accepted_and_the_gravest_are_kept() -> None:
    many = one_review(*[Danger("capacity-risk", "x", "a.yaml")] * 25_000)
    many = replace(
        many, stacks=(replace(many.stacks[0], dangers=(*many.stacks[0].dangers, Danger("policy", "y", "b"))),)
    )
    results = review_sarif(many)["runs"][0]["results"]
    assert len(results) == 25_000
    assert results[0]["ruleId"] == "policy"
