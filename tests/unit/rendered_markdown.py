"""What two independent renderers make of a comment: GitHub's own of cmark, and markdown-it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm
from cmarkgfm.cmark import Options
from markdown_it import MarkdownIt

_OURS = {
    *("p", "h2", "h3", "ul", "li", "blockquote", "strong", "em", "code", "pre", "br", "hr"),
    *("table", "thead", "tbody", "tr", "th", "td", "details", "summary"),
}
_VOID = {"br", "hr"}
_SAID = {("class", "language-diff"), ("lang", "diff"), ("align", "right"), ("style", "text-align:right")}
# What GitHub and GitLab look for outside code: mentions, references, commits, formulas, emoji, addresses.
_REFERENCE = re.compile(
    r"(?<!\w)@\w|#\d|(?i:\bgh-\d)|!\d|(?<![\d])%\w|~\w|&\w|\b[0-9a-f]{7,40}\b|\$|:[\w+-]+:|://|\bwww\.|\bCVE-\d|\]\(|\[\["
)


@dataclass
class Rendered(HTMLParser):
    """Elements of one rendering, checked while they are read."""

    html: str
    tags: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)  # outside code
    comments: list[str] = field(default_factory=list)
    cells: list[int] = field(default_factory=list)  # of each table's row
    everything: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self.feed(self.html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _OURS, tag
        assert set(attrs) <= _SAID, attrs
        self.tags.append(tag)
        if tag == "tr":
            self.cells.append(0)
        elif tag in ("td", "th"):
            self.cells[-1] += 1
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.everything += data
        if not {"code", "pre"} & set(self._open):
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def renderings(markdown: str) -> list[Rendered]:
    """Both; raw HTML is kept, so that what a text smuggles in is seen."""
    it = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    github = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return [Rendered(html) for html in (github, it.render(markdown))]


def assert_only_ours(markdown: str) -> list[Rendered]:
    """No element, attribute, comment or reference that this project did not write."""
    both = renderings(markdown)
    for one in both:
        for text in one.text:
            assert _REFERENCE.search(text.replace("[!CAUTION]", "").replace("[!WARNING]", "")) is None, text
    assert both[0].tags == both[1].tags
    for character in markdown:
        assert character.isprintable() or character in "\n\t", ascii(character)
    return both
