"""What Google keeps and no resource manages: uploaded models, what a failed creation left, names that are not free.

Each entry stands under its full name, with the word for what it is, its project and the time since when.
"""

from __future__ import annotations

from typing import Any

from simulator.google.nodes import timestamp

Entry = dict[str, Any]
API_KEY, ENDPOINT, MODEL, SECRET_VERSION = "API key", "endpoint", "model", "secret version"
"""Words for what it is."""


def leave(data: dict[str, Any], name: str, what: str, project: str, **details: Any) -> None:
    """Remember something.

    Args:
        data: The state.
        name: Its full name, as `resource_type.key` makes it.
        what: One of the words.
        project: The project's id.
        details: What else is to be known of it.
    """
    data["unmanaged"][name] = {"what": what, "project": project, "since": timestamp(), **details}


def left(data: dict[str, Any], what: str) -> dict[str, Entry]:
    """All entries of a kind, by full name."""
    return {name: entry for name, entry in data["unmanaged"].items() if entry["what"] == what}


def by_name(data: dict[str, Any], name: str) -> list[str]:
    """Full names of what a person may delete by its id or the end of it; a deleted key is only purged by Google."""
    named = [one for one in data["unmanaged"] if one.endswith(f"/{name}")]
    return [one for one in named if data["unmanaged"][one]["what"] != API_KEY]


def lines(data: dict[str, Any]) -> list[str]:
    """What to show of it: "ID (what it is, managed by nothing)"."""
    return sorted(
        f"{name.removeprefix('//').partition('/')[2]} ({entry['what']}, managed by nothing)"
        for name, entry in data["unmanaged"].items()
    )
