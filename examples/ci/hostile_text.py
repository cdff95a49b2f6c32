"""Text of strangers as a comment of ours: what it says is kept, what it could make a forge do is not.

A review is made in a job that runs what a pull request says, so its artefact may hold anything.
"""

from __future__ import annotations

import re

MARKER = "<!-- servestack-review -->"
LIMIT_CHARACTERS = 64_000
MORE_CHARACTERS = 8_000
"""GitHub refuses a comment of more than 65,536 characters; most of it is for the review, of 65,000 bytes at most."""
_MARKERS = re.compile(r"<!-- servestack-[a-z]+ -->")
_GAP = "\u200b"
_TAGS = "details|summary|br|b|code|pre|sub|sup|strong|em|table|thead|tbody|tr|th|td|p|ul|ol|li"
_TAG = re.compile(rf"<(?=[A-Za-z/!?])(?!/?(?:{_TAGS})\s*/?>)", re.IGNORECASE)
_AT_ENTITY = re.compile(r"&(?:#0*64|#x0*40|commat);?", re.IGNORECASE)
_MENTION = re.compile(r"(?<![A-Za-z0-9])@(?=@*[^\s@])")
_REFERENCE = re.compile(r"([#!])(?=\d)|\b(GH-)(?=\d)", re.IGNORECASE)
_LINK = re.compile(r"\](?=\s*[(\[:])")
_COMMAND = re.compile(r"^(\s*(?:[>*+-]\s*)*)/", re.MULTILINE)
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")


def comment_body(review: str, more: str, footer: str) -> str:
    """A comment: the marker by which it is found again, harmless texts, and a footer that is ours."""
    last = cut(harmless(more), MORE_CHARACTERS)
    first = cut(harmless(review), LIMIT_CHARACTERS - len(last))
    return "\n\n".join([MARKER, first, last, footer]) + "\n"


def harmless(text: str) -> str:
    """No mention, no reference, no quick action, no image, no link that hides where it leads, no tag but plain ones."""
    text = _MARKERS.sub("", _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    text = _MENTION.sub(f"@{_GAP}", _AT_ENTITY.sub(" @", text))
    text = _REFERENCE.sub(lambda found: found[0] + _GAP, text)
    text = _LINK.sub(f"]{_GAP}", text.replace("![", f"!{_GAP}["))
    text = _COMMAND.sub(lambda found: f"{found[1]}{_GAP}/", text)
    return _TAG.sub(f"<{_GAP}", text).strip()


def cut(text: str, limit_characters: int) -> str:
    """At most so many characters, whole lines, with what was open closed; it says that it was cut."""
    if len(text) <= limit_characters:
        return text
    kept = text[:limit_characters].rpartition("\n")[0] or text[:limit_characters]
    fences = re.findall(r"^\s*(`{3,}|~{3,})", kept, re.MULTILINE)
    closed = f"\n{fences[-1]}" if len(fences) % 2 else ""
    opened = len(re.findall(r"<details>", kept, re.IGNORECASE)) - len(re.findall(r"</details>", kept, re.IGNORECASE))
    return f"{kept}{closed}" + "\n\n</details>" * max(0, opened) + "\n\nCut here; the artefact of the run has the rest."
