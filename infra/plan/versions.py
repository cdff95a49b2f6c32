"""Which version of a framework runs: the catalogue's default, or the stack's own within what is known to work."""

from __future__ import annotations

import re

from infra.catalog.records import Framework
from infra.plan.refusal import RefusedError


def choose_version(facts: Framework, asked: str | None) -> str:
    """Version to run.

    Raises:
        RefusedError: the framework is refused, or the version is denied, too old, or not a version.
    """
    if facts.state == "refused":
        raise RefusedError(("framework",), f"{facts.display_name} does not serve Gemma 4.")
    if asked is None:
        return facts.default_version
    field = ("engine", "version")
    if asked in facts.denied_versions:
        raise RefusedError(field, f"{facts.display_name} {asked} fails with Gemma 4. Use {facts.default_version}.")
    key, minimum = _key(asked), _key(facts.minimum_version)
    if len(key) != len(minimum) or asked[0].isdigit() != facts.minimum_version[0].isdigit():
        raise RefusedError(field, f"'{asked}' is no version of {facts.display_name}, such as {facts.default_version}.")
    if key < minimum:
        raise RefusedError(
            field, f"{facts.display_name} {asked} is older than {facts.minimum_version}, the oldest that works."
        )
    return asked


def _key(version: str) -> tuple[int, ...]:
    """Numbers of a version such as `0.33.0` or `b11434`, empty where it is none: image tags have no leading zeros."""
    number = r"(0|[1-9][0-9]{0,8})"
    numbers = version.removeprefix("b").split(".") if re.fullmatch(rf"b?{number}(\.{number})*", version) else []
    return tuple(int(number) for number in numbers)
