"""The comment: hidden dangers in its first screen, text of others as text, and no longer than a comment may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infra.markdown_text import code, fenced, inline, row, table_head
from infra.review import GRAVITY, Change, Danger, Review, Reviews
from infra.review.records import FileDiff, Fleet, TeamCost
from infra.review.version import Money
from infra.review_markdown import LIMIT_BYTES, MARKER, review_markdown
from tests.unit.files import PLATFORM
from tests.unit.rendered_markdown import assert_only_ours, renderings
from tests.unit.review_repository import Repository
from tests.unit.review_samples import E4B, HIDDEN, HOSTILE, NASTY, Hidden, reviews

FIRST_SCREEN = 20  # lines that are not empty
NAME = "gemma4-e4b-l4"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(dev=PLATFORM, gemma4_e4b_l4=E4B)
    return made


def comment(repository: Repository, code: int = 0) -> str:
    file = repository.folder.parent / "comment.md"
    assert repository.review("--markdown", str(file)) == code
    return file.read_text(encoding="utf-8")


def first_screen(text: str) -> str:
    return "\n".join([line for line in text.splitlines() if line][:FIRST_SCREEN])


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_hidden_danger_is_in_the_first_screen_with_its_line(hidden: Hidden, repository: Repository) -> None:
    repository.commit(gemma4_e4b_l4=hidden.before)
    repository.commit(gemma4_e4b_l4=hidden.after)
    text = comment(repository, hidden.code)
    lines = first_screen(text).splitlines()
    assert lines[0] == MARKER
    assert lines[1].startswith("## Do not approve: " if hidden.code else "## Approve only if the ")
    number = next(i for i, line in enumerate(hidden.after.splitlines(), 1) if line.startswith(hidden.line))
    where = f"`{NAME}` (`stacks/{NAME}.yaml:{number}`)"
    assert any(line.startswith("> - **") and where in line and hidden.said in line for line in lines)
    assert_only_ours(text)


@pytest.mark.parametrize(
    ("more", "headline"),
    [
        ("# a word\n", "## Safe to approve: nothing that runs changes"),
        ("budgetUsdPerMonth: 9000\n", "## No danger found; what it costs stays as it is"),
    ],
)
def test_a_change_without_danger_says_so_first(more: str, headline: str, repository: Repository) -> None:
    repository.commit(gemma4_e4b_l4=E4B + more)
    text = comment(repository)
    assert text.splitlines()[1] == headline
    assert "[!" not in text


def test_costs_and_stacks_follow_the_dangers_and_then_each_stack(repository: Repository) -> None:
    other = E4B.replace("team: search", "team: shop")
    repository.commit(gemma4_e4b_l4_two=other, gemma4_e4b_l4=E4B + "replicas: {min: 2}\n")
    text = comment(repository)
    first = first_screen(text)
    order = ["> - **Costs:**", "**Cost: ", "| `search` |", "| `shop` |", f"| `{NAME}` | changed, 1 danger |"]
    places = [first.index(one) for one in order]
    assert places == sorted(places)
    assert f"| `{NAME}-two` | added |" in first
    section = text[text.index(f"### `{NAME}`: changed") :]
    assert "For its operators:" in section
    assert re.search(r"\| cost \| [\d,]+ USD a month \| [\d,]+ USD a month \|", section)
    assert re.search(r"<details><summary><code>[\w./-]+</code> [\d,]+ lines? more, \d+ less</summary>\n\n```diff", text)


def test_text_of_a_stack_file_stays_text(repository: Repository) -> None:
    reason = " ".join(NASTY).replace("\ud800", "").replace("\x00", "").replace("\x1b", "").replace("\x07", "")
    quoted = reason.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    repository.commit(gemma4_e4b_l4=E4B + f'expose: {{authentication: none, reason: "{quoted[:150]}"}}\n')
    text = comment(repository)
    assert "onerror" in text
    assert_only_ours(text)


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
@example(" ".join(NASTY))
@example("\n".join(NASTY))
def test_a_hostile_sentence_renders_as_itself(text: str) -> None:
    said = inline(text, 10_000)
    table = "\n".join([table_head("a", "b"), row(said, said), row(code(text), "x")])
    both = assert_only_ours(
        f"- x {said}\n- {said}\n\n> - **{code(text) or 'x'}**: {said}\n\n{table}\n\n{fenced(text, 'diff')}\n"
    )
    for one in both:
        assert one.cells == [2, 2, 2]
        assert one.comments == []
    letters = re.sub(r"\W|_", "", inline(text, 10_000))
    shown = renderings(f"x {said}\n")
    for one in shown:
        assert re.sub(r"\W|_", "", one.everything) == f"x{letters}"


@settings(max_examples=150, deadline=None)
@given(reviews())
def test_a_hostile_review_has_no_element_of_its_own(found: Reviews) -> None:
    text = review_markdown(found)
    assert text.startswith(f"{MARKER}\n## ")
    for one in assert_only_ours(text):
        assert one.comments == [" servestack-review "]
        assert one.tags.count("h2") == 1


def many(stacks: int, dangers: int, diff_lines: int, changes: int) -> Reviews:
    """A change of many stacks, of which some are as large as real ones get."""
    made = []
    for number in range(stacks):
        name = f"stack{number}"
        found = tuple(
            Danger(
                GRAVITY[(number + i) % len(GRAVITY)], f"danger {i} of {name}: ä{'x y ' * 20}", f"stacks/{name}.yaml", i
            )
            for i in range(dangers)
        )
        said = tuple(
            Change(audience, f"s{i}", "a", "b", f"sentence {i} of {name} for {audience} {'word ' * 20}")
            for audience in ("users", "operators")
            for i in range(changes)
        )
        diff = (FileDiff(f"{name}/x.yaml", f"+ `{name}` ```\n" * diff_lines, diff_lines, 0),)
        kind = "refused" if number % 7 == 3 and dangers else "changed"
        nothing = (None, None, None, None)
        money = Money(number, number, True)
        made.append(
            Review(name, "p", kind, "title", None, "verdict", "", found, said, money, money, *nothing, 1, (), (), diff)
        )
    fleet = Fleet(0, (), 0, 0, 0)
    teams = tuple(TeamCost(f"team{number}", 1.0, 2.0 + number) for number in range(stacks))
    return Reviews("a", "b", tuple(made), teams, fleet, fleet, None, ())


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 150),
    st.integers(0, 3),
    st.integers(0, 300),
    st.integers(0, 8),
    st.sampled_from([8_000, LIMIT_BYTES]),
)
@example(600, 2, 10, 8, LIMIT_BYTES)
@example(1, 0, 50_000, 0, LIMIT_BYTES)
def test_the_comment_is_never_too_long_and_leaves_out_the_least_important(
    stacks: int, dangers: int, diff_lines: int, changes: int, limit: int
) -> None:
    found = many(stacks, dangers, diff_lines, changes)
    text = review_markdown(found, limit)
    assert len(text.encode()) <= limit
    assert text.count("<details>") == text.count("</details>")
    for one in renderings(text):
        assert one.tags.count("h3") == text.count("\n### ")
    whole = review_markdown(found, 10**9)
    assert ("**Left out here**" in text) == (text != whole)
    named = {one for one in whole.splitlines() if one.startswith("> - ")}
    kept = [one for one in text.splitlines() if one.startswith("> - ")]
    assert len(named) == stacks * dangers
    if len(kept) < len(named):
        assert kept == [one for one in whole.splitlines() if one.startswith("> - ")][: len(kept)]
        assert "<details>" not in text
        assert "\n### " not in text
    if "\n### " not in whole or text.count("\n### ") < whole.count("\n### "):
        assert "For its operators:" not in text
    if "For its operators:" in whole and text.count("For its operators:") < whole.count("For its operators:"):
        assert "<details>" not in text


def test_what_is_left_out_is_said() -> None:
    text = review_markdown(many(3, 1, 3_000, 1))
    said = next(line for line in text.splitlines() if line.startswith("**Left out here**"))
    assert re.search(r": \d diffs?\. The HTML report and the JSON", said)
    assert all(f"danger 0 of stack{number}" in text for number in range(3))


def test_the_same_danger_of_many_stacks_is_one_point() -> None:
    one = many(1, 1, 0, 0).stacks[0]
    stacks = tuple(
        Review(
            **{**vars(one), "stack": f"s{number}", "dangers": (Danger("downtime", "restarts", f"s{number}.yaml", 1),)}
        )
        for number in range(30)
    )
    text = review_markdown(Reviews("a", "b", stacks, (), Fleet(0, (), 0, 0, 0), Fleet(0, (), 0, 0, 0), None, ()))
    points = [line for line in text.splitlines() if line.startswith("> - ")]
    assert len(points) == 1
    assert "`s19` (`s19.yaml:1`) and 10 more: restarts" in points[0]
    assert text.splitlines()[1] == "## Approve only if the danger below is meant"


def test_files_are_written_where_a_stack_is_refused_and_whole_or_not_at_all(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.commit(gemma4_e4b_l4=E4B + "modle: x\n")
    folder = repository.folder.parent
    file = folder / "comment.md"
    file.write_text("older", encoding="utf-8")
    assert repository.review("--markdown", str(file), "--sarif", str(folder / "nowhere" / "x.sarif")) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8").startswith(MARKER)
    file.write_text("older", encoding="utf-8")
    folder.joinpath("a").mkdir()
    assert repository.review("--markdown", str(folder / "a")) == 1
    assert "a: not a file" in capsys.readouterr().err
    assert file.read_text(encoding="utf-8") == "older"
    assert sorted(one.name for one in folder.iterdir()) == ["a", "comment.md", "repository"]
