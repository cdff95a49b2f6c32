"""Ids of things: as they are made, and as a person may write them to import one."""

from __future__ import annotations

import re

from simulator.google.errors import GoogleError
from simulator.google.machine_types import region_of
from simulator.google.resource_type import Request, ResourceType, relative
from simulator.google.wire import Properties

_LINKS_WITH_PROJECT = ("secretId", "secret", "repository", "serviceAccountId")
"""Inputs that may say the project of what they name."""
_FIELD = re.compile(r"\{(\w+)\}")


def made_id(kind: ResourceType, request: Request) -> str:
    """The id of a thing that is to be made.

    Raises:
        GoogleError: Nothing says its place (the text is tpgresource's, from memory).
    """
    values: dict[str, str] = {"project": request.project}
    for name in _FIELD.findall(kind.identifier):
        value = request.inputs.get(name) or request.made.get(name) or values.get(name)
        value = value or default_of(name, request.configuration)
        if value is None:
            raise GoogleError(f"Cannot determine {name}: set in this resource, or set provider-level '{name}'.")
        values[name] = str(value) if name == "id" else relative(str(value)).rpartition("/")[2]
    return kind.identifier.format(**values)


def full_id(kind: ResourceType, identifier: str, config: Properties) -> str:
    """The full form of an id that may be short: without the words between, or without project and place.

    Raises:
        GoogleError: It has none of these forms (tpgresource.ParseImportId, from memory).
    """
    if kind.identifier == "{id}":
        return identifier.replace(" ", "/")
    if kind.identifier == "{name}":
        return identifier.rpartition("/")[2]
    names = list(dict.fromkeys(_FIELD.findall(kind.identifier)))
    words = {word for word in kind.identifier.split("/") if "{" not in word}
    parts = [part for part in identifier.split("/") if part not in words]
    if "@" in kind.identifier and parts:
        parts = [*parts[:-1], parts[-1].partition("@")[0]]
    missing = names[: max(0, len(names) - len(parts))]
    parts = [*(default_of(name, config) or "" for name in missing), *parts]
    if len(parts) != len(names) or not all(parts):
        form = kind.identifier.replace("{", "{{").replace("}", "}}")
        raise GoogleError(f'Import id "{identifier}" doesn\'t match any of the accepted formats: [{form}]')
    return kind.identifier.format(**dict(zip(names, parts, strict=True)))


def default_of(name: str, config: Properties) -> str | None:
    """What the provider's configuration says for a part of an id."""
    if name in ("region", "location"):
        zone = config.get("zone")
        return config.get("region") or (region_of(str(zone)) if zone else None)
    return config.get("project") if name == "project" else None


def project_of(inputs: Properties, config: Properties) -> str:
    """The project of a thing: its own, that of what it belongs to, else the provider's.

    Raises:
        GoogleError: None of them says one (tpgresource.GetProject, from memory).
    """
    for name in _LINKS_WITH_PROJECT:
        parts = relative(str(inputs.get(name) or "")).split("/")
        if parts[0] == "projects" and len(parts) > 2 and not (inputs.get("project") or parts[1].isdigit()):
            return parts[1]
    project = inputs.get("project") or config.get("project")
    if not project:
        raise GoogleError("project: required field is not set")
    return str(project).removeprefix("projects/")
