"""The text of a review's page: the same for the same review, with nothing left out, and text of others as text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings

from infra.page import numbers
from infra.review import Danger, Review, Reviews
from infra.review.records import Fleet, TeamCost
from infra.review_page import review_page
from tests.unit.review_samples import reviews
from tests.unit.test_page import Read

TAGS = re.compile(
    "html|head|meta|title|link|style|body|a|header|h[1-4]|p|main|section|ol|ul|li|dl|div|dt|dd|strong|span|figure|"
    "figcaption|table|caption|thead|tbody|tfoot|tr|th|td|details|summary|pre|i|b|footer|sup"
)
ATTRIBUTES = re.compile(
    "lang|charset|http-equiv|content|name|rel|href|class|id|aria-(labelledby|label|hidden)|role|scope|style|tabindex|"
    "data-label|colspan|open"
)


def shown(text: str) -> str:
    """As the page writes text of others."""
    return re.sub(r"\s+", " ", numbers.visible(text.replace(" -> ", " → ").replace("`", ""))).strip()


def told(found: Reviews) -> list[Review]:
    return [one for one in found.stacks if one.kind != "no effect"]


@settings(max_examples=40, deadline=None)
@given(reviews(most_stacks=3))
def test_hostile_text_is_text_and_nothing_is_left_out(found: Reviews) -> None:
    page = review_page(found)
    assert page == review_page(found)
    read = Read(page)
    assert [tag for tag in read.tags if not TAGS.fullmatch(tag)] == []
    assert [name for _, name, _ in read.attributes if not ATTRIBUTES.fullmatch(name)] == []
    links = [value for _, name, value in read.attributes if name == "href"]
    assert [value for value in links if not value.startswith(("#", "data:,"))] == []
    text = shown(read.text())
    for one in found.stacks:
        assert shown(one.stack) in text
    if found.toolkit and (found.toolkit.catalogue or found.toolkit.templates):
        assert all(shown(stack) in text for stack in found.toolkit.stacks)
    for one in told(found):
        said = [one.verdict, one.path, *(change.sentence for change in one.changes), *one.locks]
        said += [danger.sentence for danger in one.dangers]
        said += one.refusal.splitlines()
        said += [line for file in one.diff for line in file.text.splitlines()[2:]]
        for words in said:
            assert shown(words) in text


def danger(place: int, kind: str = "cost") -> Danger:
    return Danger(kind, "the same of all", f"stacks/{place}.yaml", place)


def many(stacks: int, teams: int = 0) -> Reviews:
    empty = Review("", "", "changed", "", None, "", "", (), (), *[None] * 6, 0, (), (), ())  # type: ignore[arg-type]
    touched = tuple(replace(empty, stack=f"stack-{place}", dangers=(danger(place),)) for place in range(1, stacks + 1))
    costs = tuple(TeamCost(f"team-{place}", 100.0, 100.0 + place) for place in range(teams))
    fleet = Fleet(1, (("l4", 1),), 1.0, 1.0, 0)
    return Reviews("a", "b", touched, costs, fleet, fleet, None, ())


def test_a_danger_of_many_stacks_is_one_that_names_each_place() -> None:
    read = Read(review_page(many(300)))
    text = read.text()
    assert "1 danger, the gravest first" in text
    assert "and 296 more: the same of all" in text
    for place in range(1, 301):
        assert f"stack-{place} (stacks/{place}.yaml:{place})" in text
    ids = Counter(value for _, name, value in read.attributes if name == "id")
    assert set(ids.values()) == {1}
    for _, name, value in read.attributes:
        if name == "href" and value != "data:,":
            assert value.removeprefix("#") in ids
        if name == "aria-labelledby":
            assert value in ids


def test_totals_are_those_of_all_teams_and_a_chart_of_many_teams_says_what_it_leaves_to_the_table() -> None:
    found = many(1, teams=40)
    read = Read(review_page(found))
    assert [row for row in read.cells if row[0].startswith("team-")] == [
        [f"team-{place}", "100", f"{100 + place}", f"+{place}" if place else "as before"] for place in range(39, -1, -1)
    ]
    assert read.row("Together") == ["4,000", "4,780", "+780"]
    assert read.row("Together, most replicas") == ["1", "1", "as before"]
    assert "28 more teams: less or no change, in the table." in read.text()
