"""Findings of a review as SARIF of ours: rebuilt from a stranger's file, so that no other tool's alerts are touched."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from typing import Any

TOOL = "servestack"
MAX_RESULTS = 500
_LEVELS = ("error", "warning", "note")
_PATH = re.compile(r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/){0,8}[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_RULE = re.compile(r"[A-Za-z0-9_./-]{1,80}")


def rebuilt(text: str) -> dict[str, Any]:
    """One run of one tool: rule, level, message, file and line of each finding, and nothing else of the file.

    Raises:
        ValueError: not SARIF as `servestack review --sarif` writes it.
    """
    try:
        runs = json.loads(text)["runs"]
        if len(runs) != 1 or runs[0]["tool"]["driver"]["name"] != TOOL:
            raise ValueError("not one run of servestack")
        results = [_result(one) for one in runs[0].get("results", [])[:MAX_RESULTS]]
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"not SARIF: {type(error).__name__}") from None
    rules = [{"id": rule} for rule in sorted({one["ruleId"] for one in results})]
    run = {
        "tool": {"driver": {"name": TOOL, "rules": rules}},
        "automationDetails": {"id": f"{TOOL}-review/"},
        "results": results,
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def packed(sarif: Mapping[str, Any]) -> str:
    """As GitHub takes it: gzip, then base64."""
    return base64.b64encode(gzip.compress(json.dumps(sarif).encode(), mtime=0)).decode()


def _result(found: Mapping[str, Any]) -> dict[str, Any]:
    place = found["locations"][0]["physicalLocation"]
    path, line = str(place["artifactLocation"]["uri"]), place.get("region", {}).get("startLine", 1)
    rule = str(found.get("ruleId", ""))
    if not _PATH.fullmatch(path) or not _RULE.fullmatch(rule):
        raise ValueError("a path or a rule that is none")
    if type(line) is not int or not 1 <= line <= 100_000:
        raise ValueError("a line that is none")
    level = found.get("level", "warning")
    return {
        "ruleId": rule,
        "level": level if level in _LEVELS else "warning",
        "message": {"text": re.sub(r"[^\S ]|[\x00-\x1f]", " ", str(found["message"]["text"]))[:1000]},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": {"startLine": line}}}],
    }
