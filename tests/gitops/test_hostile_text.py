"""Text of strangers in a comment of ours: nobody is called, nothing is ordered, nothing is hidden."""

from __future__ import annotations

import re

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from tests.gitops.conftest import EXAMPLES

assert EXAMPLES.is_dir()
from hostile_text import MARKER, comment_body, cut, harmless  # noqa: E402

PIECES = st.sampled_from(
    [
        *(
            "@",
            "@all",
            "&#64;",
            "&#0064;x",
            "&commat;",
            "&#x40;y",
            "\\@",
            "_@u_",
            "é@u",
            "a@b",
            "@\u200bu",
            "\u202e",
            "\r",
        ),
        *(
            "#1",
            "!2",
            "GH-3",
            "gh-3",
            "\n/close",
            "\n  /merge",
            "\n> /label",
            "\n- /due",
            "\r/x",
            "\u2028/y",
            "![a](b)",
        ),
        *("[a](b)", "[a][b]", "[a]: b", "] (", "<img src=x>", "<!--", "-->", "<details>", "</details>", "<a href=x>"),
        *("<details onclick=x>", "```\n", "~~~\n", "text", " ", "\n", "\n\n", "é", "\U000e0041", "\x1b[31m", MARKER),
    ]
)
HOSTILE = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=40))


def dangers(text: str) -> list[str]:
    """What a forge would act on, restated: mentions, references, quick actions, images, links, tags, unseen text."""
    rules = {
        "mention": r"(?<![A-Za-z0-9])(?:@|&#0*64;?|&#[xX]0*40;?|&commat;?)[A-Za-z0-9_-]",
        "reference": r"(?i)[#!]\d|\bgh-\d",
        "quick action": r"(?m)^[\s>*+-]*/\w",
        "image": r"!\[",
        "hidden link": r"\]\s*[(\[:]",
        "tag": r"(?i)<(?=[a-z/!?])(?!/?(?:details|summary|br|b|code|pre|sub|sup|strong|em|table|thead|tbody|tr|th|td"
        r"|p|ul|ol|li)\s*/?>)",
        "unseen": r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]",
        "marker": re.escape(MARKER),
    }
    return [name for name, rule in rules.items() if re.search(rule, text.replace("<\u200b", ""))]


@given(HOSTILE)
def test_nothing_that_a_forge_acts_on_is_left(text: str) -> None:
    assert dangers(harmless(text)) == []


@given(HOSTILE)
def test_the_parser_of_the_forges_makes_no_image_tag_or_named_link_of_it(text: str) -> None:
    page = cmarkgfm.github_flavored_markdown_to_html(harmless(text), Options.CMARK_OPT_UNSAFE)
    assert not re.search(r"<(?:img|script|iframe|form|input(?! type=\"checkbox\"))\b|<\w[^>]*\son\w+=", page), page
    for address, shown in re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', page):
        assert shown.removeprefix("mailto:") in (address, address.partition("://")[2], address.removeprefix("mailto:"))


@given(HOSTILE)
def test_a_second_pass_finds_nothing_more(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize("danger", ["@all", "x #1", "/merge", "![a]", "[a](b)", "<img>", "\u202e", MARKER])
def test_the_check_of_this_file_finds_each(danger: str) -> None:
    assert dangers(danger)


def test_plain_words_tables_and_fences_stay_as_they_are() -> None:
    table = "| a | b |\n| --- | --- |\n| 1 | `x@y.z` |"
    text = (
        f"## gemma4-e4b-l4\n\n{table}\n\n```diff\n@@ -1,2 +1,2 @@\n-a: x < 1\n+a: 2\n```\n<details>\nmore\n</details>"
    )
    assert harmless(text) == text


@given(HOSTILE.map(lambda text: text * 40), st.integers(min_value=1, max_value=400))
def test_what_is_cut_has_whole_lines_and_closes_what_it_opened(text: str, limit: int) -> None:
    found = cut(harmless(text), limit)
    assert len(found) <= max(limit, 0) + 200 + 12 * text.count("<details>")
    if "Cut here" in found and "\n" not in found[:limit]:
        return
    fences = re.findall(r"(?m)^\s*(?:`{3,}|~{3,})", found)
    assert "Cut here" not in found or len(fences) % 2 == 0


def test_a_comment_has_one_marker_and_ends_with_a_footer_of_ours() -> None:
    body = comment_body(MARKER * 3 + "a\n" * 200_000, "b", "[Run](https://forge.example/run)")
    assert body.startswith(MARKER + "\n")
    assert body.count(MARKER) == 1
    assert body.endswith("b\n\n[Run](https://forge.example/run)\n")
    assert len(body) < 65_536
