"""A review as SARIF 2.1.0: each danger at its line of the stack file, for annotations in a merge request."""

from __future__ import annotations

import hashlib
import string
from collections import Counter
from typing import Any

from infra.review import Danger, Reviews
from infra.review.headline import gravest_first
from infra.review.kinds import DANGER_KINDS
from infra.text import printable

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MOST_RESULTS = 25_000  # of one run; GitHub refuses a file with more
_IN_A_PATH = frozenset(f"{string.ascii_letters}{string.digits}-._~/")  # RFC 3986, and no colon: it would end a scheme
_INDEX = {kind: index for index, kind in enumerate(DANGER_KINDS)}


def review_sarif(found: Reviews) -> dict[str, Any]:
    """One run with a rule for each kind of danger and a result for each danger, the gravest first.

    What is no danger is not in it: an annotation asks a reviewer to look, and a change alone is no reason to.
    GitHub finds a danger of an earlier upload again by a hash of its line, `primaryLocationLineHash`, which its upload
    computes from the file, so that is left to it; others can use `servestackDanger/v1`, which does not hang on lines.
    """
    seen: Counter[tuple[str, str]] = Counter()
    results = []
    for stack, danger in gravest_first(found)[:MOST_RESULTS]:
        seen[danger.kind, danger.path] += 1
        results.append(_result(stack, danger, seen[danger.kind, danger.path]))
    run = {
        "tool": {"driver": {"name": "servestack", "rules": [_rule(kind) for kind in DANGER_KINDS]}},
        "automationDetails": {"id": "servestack-review/"},
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(kind: str) -> dict[str, Any]:
    one = DANGER_KINDS[kind]
    return {
        "id": kind,
        "shortDescription": {"text": f"{one.title}."},
        "fullDescription": {"text": one.meaning},
        "help": {"text": f"{one.meaning} {one.check}"},
        "defaultConfiguration": {"level": one.level},
    }


def _result(stack: str, danger: Danger, number: int) -> dict[str, Any]:
    region = {"startLine": max(1, danger.line), "startColumn": max(1, danger.column)}
    place = {"artifactLocation": {"uri": _uri(danger.path)}, "region": region}
    identity = "\0".join((danger.kind, danger.path, str(number))).encode("utf-8", "surrogatepass")
    return {
        "ruleId": danger.kind,
        "ruleIndex": _INDEX[danger.kind],
        "level": DANGER_KINDS[danger.kind].level,
        "message": {"text": _text(f"{stack}: {danger.sentence}")},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"servestackDanger/v1": hashlib.sha256(identity).hexdigest()},
    }


def _uri(path: str) -> str:
    """A path from the top of the repository as a relative reference, percent-encoded where a URI needs it."""
    octets = path.encode("utf-8", "surrogatepass")
    uri = "".join(chr(one) if chr(one) in _IN_A_PATH else f"%{one:02X}" for one in octets)
    return f"file://{uri}" if path.startswith("/") else uri


def _text(text: str) -> str:
    """Plain text in which no viewer finds a link (SARIF 2.1.0, section 3.11.6)."""
    clean = " ".join(printable(text).split())
    return clean.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
