"""Which version of a framework runs: the catalogue's default, or the stack's own within what is known to work."""

from __future__ import annotations

import re

from infra.catalog.records import Framework
from infra.plan.refusal import RefusedError


def choose_version(facts: Framework, asked: str | None, size: str) -> str:
    """Version to run for a model of that size.

    Raises:
        RefusedError: the version is denied, too old, or not a version; or there are none.
    """
    field = ("engine", "version")
    if facts.default_version is None or facts.minimum_version is None:
        raise RefusedError(field, f"{facts.display_name} has no versions to choose from; leave it out.")
    oldest = max(facts.minimum_version, dict(facts.minimum_version_by_size).get(size, facts.minimum_version), key=_key)
    if asked is None:
        return max(facts.default_version, oldest, key=_key)
    if asked in facts.denied_versions:
        raise RefusedError(field, f"{facts.display_name} {asked} fails with Gemma 4. Use {facts.default_version}.")
    key, minimum = _key(asked), _key(oldest)
    if len(key) != len(minimum) or asked[0].isdigit() != oldest[0].isdigit() or ("rc" in asked) != ("rc" in oldest):
        raise RefusedError(field, f"'{asked}' is no version of {facts.display_name}, such as {facts.default_version}.")
    if key < minimum:
        raise RefusedError(field, f"{facts.display_name} {asked} is older than {oldest}, the oldest that works.")
    return asked


def at_least(version: str, oldest: str) -> bool:
    """Whether a version is the oldest or newer."""
    return _key(version) >= _key(oldest)


def _key(version: str) -> tuple[int, ...]:
    """Numbers of a version such as `0.33.0`, `1.3.0rc26` or `b11434`, empty where it is none.

    Image tags have no leading zeros. A release candidate is compared with candidates alone: it has a number more.
    """
    number = r"(0|[1-9][0-9]{0,8})"
    known = re.fullmatch(rf"b?{number}(\.{number})*(rc{number})?", version)
    return tuple(int(one) for one in re.findall(r"\d+", version)) if known else ()
