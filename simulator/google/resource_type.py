"""What a resource type of the official provider is, as data: a new type is one entry in a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.google.errors import GoogleError
from simulator.google.wire import Properties

MINUTES_20: Mapping[str, float] = {"create": 1200.0, "update": 1200.0, "delete": 1200.0}
"""The default timeouts of most generated resources."""
_LINK_HOSTS = re.compile(r"^(https?://[^/]+/[^/]+(/[^/]+)?/(?=projects/)|//[^/]+/)")


@dataclass(frozen=True)
class Request:
    """One operation on one thing.

    Attributes:
        data: The simulator's state; rules read it, effects change it.
        project: The project's id.
        inputs: What the user gave.
        identifier: The id of the thing, "" when Google has not given one yet.
        made: What Google decided when it made the thing.
        configuration: The provider's.
        labels: Labels that the provider adds.
        state: What the engine knows of it, where it is deleted.
    """

    data: dict[str, Any]
    project: str
    inputs: Properties
    identifier: str = ""
    made: Properties = field(default_factory=dict)
    configuration: Properties = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    state: Properties = field(default_factory=dict)


Rule = Callable[[Request], None]
"""Raises `GoogleError` when Google or the provider refuses."""
Outputs = Callable[[Request], Properties]


@dataclass(frozen=True)
class Pattern:
    """A form that a string must have.

    Attributes:
        path: The input.
        regex: For the whole value.
        message: What is said, with {name} for Terraform's name of the input and {value}; the default is
            Terraform's ValidateRegexp.
    """

    path: str
    regex: str
    message: str = '"{name}" ("{value}") doesn\'t match regexp "^{regex}$"'


def _nothing(_request: Request) -> Properties:
    return {}


def _ignore(_request: Request) -> None:
    return None


@dataclass(frozen=True)
class ResourceType:
    """One resource type.

    Attributes:
        token: Pulumi's.
        sdk: Module and class of its inputs below pulumi_gcp.
        noun: As in "Error creating Network: ".
        service: The API that makes it.
        identifier: Its id, with the names of inputs in braces.
        force_new: Paths whose change replaces it ("ForceNew").
        computed: Inputs that Google fills in when none is given ("Computed").
        unknown: Outputs that a preview cannot know.
        name: The input that names it; the bridge makes one up where the SDK does not require it.
        name_limit: Longest name that is made up.
        defaults: Inputs that the bridge fills in.
        links: Inputs that name other things, by name or by any form of their full name.
        caseless: Inputs whose case means nothing.
        sets: Lists whose order means nothing.
        patterns: Forms of inputs.
        choices: Inputs that take one of a few words.
        one_of: Groups of which exactly one must be given.
        conflicts: Pairs that exclude each other.
        required_with: Pairs of which the first needs the second ("RequiredWith").
        secrets: Inputs and outputs that the bridge marks as secrets ("Sensitive").
        write_only: Inputs that come back nowhere, and whose change means nothing ("WriteOnly").
        not_imported: Outputs that only a refresh reads.
        unread: Terraform's name of a type that Google is never asked about ("exclude_read"): a refresh keeps the
            engine's state, an import is refused.
        labelled: Whether it has labels.
        assigned: What Google decides when it makes one.
        outputs: What is read besides the inputs.
        create_rules: What forbids making it.
        change_rules: What forbids making it or changing it so.
        delete_rules: What forbids deleting it.
        effect: What else making it does.
        half_made: What a creation that fails, or that nobody waits for any more, leaves behind.
        after_delete: What else deleting it does, when it is out of the state.
        gone: The error of changing or deleting one that is not there; None where deleting it is fine.
        found: Whether it is there, where the state's record does not say so.
        replaces: Whether a change of a path in `force_new` replaces, by old and new value.
        taken: The error when there is one of that name already; None lets the two be one.
        consumer: The project whose API answers; it raises `GoogleError` when there is none.
        wrap: How the provider words an error, by verb.
        timeouts: In seconds.
    """

    token: str
    sdk: str
    noun: str
    service: str
    identifier: str
    force_new: tuple[str, ...]
    computed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    name: str = "name"
    name_limit: int = 63
    defaults: Mapping[str, Any] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    caseless: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one_of: tuple[tuple[str, ...], ...] = ()
    conflicts: tuple[tuple[str, str], ...] = ()
    required_with: tuple[tuple[str, str], ...] = ()
    secrets: tuple[str, ...] = ()
    write_only: tuple[str, ...] = ()
    not_imported: tuple[str, ...] = ()
    unread: str = ""
    labelled: bool = False
    assigned: Outputs = _nothing
    outputs: Outputs = _nothing
    create_rules: tuple[Rule, ...] = ()
    change_rules: tuple[Rule, ...] = ()
    delete_rules: tuple[Rule, ...] = ()
    effect: Rule = _ignore
    half_made: Rule = _ignore
    after_delete: Rule = _ignore
    gone: Callable[[Request], GoogleError] | None = None
    found: Callable[[Request], bool] | None = None
    replaces: Callable[[str, Any, Any], bool] = lambda _path, _old, _new: True
    taken: Callable[[Request], GoogleError | None] | None = None
    wrap: Callable[[str, Request, GoogleError], str] | None = None
    consumer: Callable[[Request], str] = lambda request: request.project
    timeouts: Mapping[str, float] = field(default_factory=lambda: MINUTES_20)


def key(service: str, identifier: str) -> str:
    """The full name under which the state keeps a thing."""
    return f"//{service}/{identifier}"


def relative(link: str) -> str:
    """A link without its host: "projects/p/global/networks/n".

    >>> relative("https://www.googleapis.com/compute/v1/projects/p/global/networks/n")
    'projects/p/global/networks/n'
    """
    return _LINK_HOSTS.sub("", link)


def same_thing(one: Any, other: Any) -> bool:
    """Whether two links name one thing (Terraform's CompareSelfLinkOrResourceName)."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    first, second = relative(one), relative(other)
    if "/" in first and "/" in second:
        return first.endswith(second) or second.endswith(first)
    return first.rpartition("/")[2] == second.rpartition("/")[2]
