"""Text of others in Markdown for GitHub and GitLab: it is read as text, whatever it holds."""

from __future__ import annotations

import html
import re

from infra.text import printable

LONGEST = 400  # characters of one sentence or cell
# Words that no renderer makes anything of. Every other word becomes a code span, in which GitHub and GitLab look for no
# markup, link, mention, reference, formula or emoji.
_PLAIN = re.compile(r"""(?:[^\W_]|[^\x00-\x7f]|[.,;:()'"/+=%?!-])+""")
_READ_AS_MORE = re.compile(
    r"""//|^/|www\.|[:][\w+-]+:                # an address, a command of GitLab, an emoji
    |(?<![a-z0-9])[0-9a-f]{7,}                 # a commit
    |gh-\d|ghsa-|(?-i:\b[A-Z][A-Z0-9]+-\d)     # an issue, an advisory, a ticket of another tracker
    |![^.,;:)]|%[^.,;:)]|(?<!\d)%              # a merge request, a milestone
    """,
    re.IGNORECASE | re.VERBOSE,
)
_LIST_NUMBER = re.compile(r"\d+[.)]")
_TOKEN = re.compile(r"\(?`[^`]+`[.,;:)]*(?!\S)|\S+")
_QUOTED = re.compile(r"(\(?)`([^`]+)`([.,;:)]*)")
_AROUND = re.compile(r"(\(?)(.*?)((?:[,;:)]|(?<!\.)\.(?!\.))*)")  # an ellipsis is part of what it ends
_OTHER_SPACE = re.compile(r"[^\S\n\t ]")
_LINE_END = re.compile(r"(?<=[\w)])[^\S\n]*\n\s*(?=\w)")
_FENCE = re.compile(r"`{3,}")


def inline(text: str, longest: int = LONGEST) -> str:
    """A sentence as one line that renders as itself; what stands between backticks, and words like code, as code."""
    said: list[str] = []
    odd: list[str] = []
    for token in _TOKEN.findall(_one_line(text, longest)):
        quoted = _QUOTED.fullmatch(token)
        if quoted is None and not _is_plain(token, first=not said and not odd):
            odd.append(token)
            continue
        said += [_code_words(odd)] if odd else []
        odd = []
        if quoted is not None:
            said.append(f"{quoted[1]}{code(quoted[2])}{quoted[3]}")
        else:
            said.append("\N{RIGHTWARDS ARROW}" if token == "->" else token)
    return " ".join([*said, _code_words(odd)] if odd else said)


def code(text: str) -> str:
    """A code span, such as of a name; a backtick in it becomes an apostrophe."""
    found = _one_line(text, LONGEST).replace("`", "'")
    return f"`{found}`" if found else ""


def cell(text: str) -> str:
    """Markdown of one line, as a cell of a table."""
    return text.replace("|", "\\|") or " "


def row(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cell(one) for one in cells)} |"


def table_head(*names: str, numbers: int = 0) -> str:
    """The first two lines of a table; the last `numbers` columns stand to the right."""
    lines = ["---"] * (len(names) - numbers) + ["--:"] * numbers
    return f"{row(*names)}\n|{'|'.join(lines)}|"


def fenced(text: str, language: str) -> str:
    """A block of code that nothing in it closes."""
    clean = _OTHER_SPACE.sub("\N{REPLACEMENT CHARACTER}", printable(text)).rstrip("\n")
    fence = "`" * max([3, *(len(run) + 1 for run in _FENCE.findall(clean))])
    return f"{fence}{language}\n{clean}\n{fence}"


def folded(name: str, more: str, body: str) -> str:
    """A part that a reader opens; `name` is of others and stands as code, `more` is plain text of ours."""
    said = f"<code>{html.escape(_one_line(name, LONGEST))}</code> {html.escape(more)}"
    return f"<details><summary>{said}</summary>\n\n{body}\n\n</details>"


def _one_line(text: str, longest: int) -> str:
    found = " ".join(_LINE_END.sub(", ", printable(text[: 4 * longest])).split())
    if len(found) <= longest and len(text) <= 4 * longest:
        return found
    return f"{found[: longest - 1].rstrip()}…"


def _is_plain(word: str, *, first: bool) -> bool:
    if word in ("->", "-"):
        return not first
    if _PLAIN.fullmatch(word) is None or _READ_AS_MORE.search(word) or (first and _LIST_NUMBER.fullmatch(word)):
        return False
    return any(one.isalnum() or one > "\x7f" for one in word)


def _code_words(words: list[str]) -> str:
    around = _AROUND.fullmatch(" ".join(words))
    assert around is not None
    before, inside, after = around.groups()
    return f"{before}{code(inside)}{after}" if inside else code(before + after)
