"""The `pulumi.com/waitFor` annotation. Official behaviour: await/condition and pkg/jsonpath."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from simulator.kubernetes_provider.awaiting import Awaiter, AwaitRequest
from simulator.kubernetes_provider.engine_log import INFO, WARNING
from simulator.kubernetes_provider.errors import ProviderError
from simulator.kubernetes_provider.informer import DELETED, Event
from simulator.kubernetes_provider.properties import Object

_STEP: Final = re.compile(
    r"""\.(?P<name>[\w-]+|\*)|\[(?P<index>-?\d+|\*)\]|\[['"](?P<quoted>[^'"]+)['"]\]|
        \[\?\(?@\.(?P<key>[\w.-]+)\s*==\s*['"](?P<equals>[^'"]*)['"]\)?\]""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class JsonPath:
    """`jsonpath={.path}` or `jsonpath={.path}=value`."""

    path: str
    value: str | None

    def __str__(self) -> str:
        return self.path if self.value is None else f"{self.path}={self.value}"


@dataclass(frozen=True)
class Condition:
    """`condition=Type` or `condition=Type=Status`."""

    kind: str
    status: str


def parse(text: str) -> list[JsonPath | Condition]:
    """Parses the annotation: one expression, or a JSON array of them.

    Raises:
        ProviderError: with the official text.
    """
    expressions = [text]
    if text.lstrip().startswith("["):
        try:
            expressions = json.loads(text)
        except ValueError as error:
            raise ProviderError(f"expected a JSON array: {error}") from error
    return [_expression(str(expression)) for expression in expressions]


def _expression(text: str) -> JsonPath | Condition:
    if text.startswith("condition="):
        kind, _, status = text.removeprefix("condition=").partition("=")
        return Condition(kind, status or "True")
    if not text.startswith("jsonpath="):
        raise ProviderError(f'expected a "jsonpath=" or "condition=" prefix, got "{text}"')
    expression = text.removeprefix("jsonpath=")
    end = expression.rfind("}")
    if not expression.startswith("{") or end < 0:
        raise ProviderError(f"{expression} should be wrapped in brackets")
    path, rest = expression[: end + 1], expression[end + 1 :]
    if rest and not rest.startswith("="):
        raise ProviderError(f"{expression} should be wrapped in brackets")
    _steps(path)
    return JsonPath(path, rest[1:] if rest else None)


def _steps(path: str) -> list[re.Match[str]]:
    inner = path[1:-1].strip().removeprefix("$")
    steps, position = [], 0
    while position < len(inner):
        match = _STEP.match(inner, position)
        if match is None:
            raise ProviderError(f"unable to parse JSONPath {path}")
        steps.append(match)
        position = match.end()
    return steps


def select(obj: Any, path: str) -> list[Any]:
    """The values that a path selects: members, indices, `*` and simple filters of RFC 9535."""
    values = [obj]
    for step in _steps(path):
        values = [found for value in values for found in _select_step(value, step)]
    return values


def _select_step(value: Any, step: re.Match[str]) -> list[Any]:
    name, index = step["name"] or step["quoted"], step["index"]
    if name == "*" or index == "*":
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if step["key"]:
        items = value if isinstance(value, list) else []
        keys = step["key"].split(".")
        return [item for item in items if str(_dig(item, keys)) == step["equals"]]
    if name is not None:
        return [value[name]] if isinstance(value, dict) and name in value else []
    position = int(index)
    if isinstance(value, list) and -len(value) <= position < len(value):
        return [value[position]]
    return []


def _dig(value: Any, keys: list[str]) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


class WaitForAwaiter(Awaiter):
    """Ready when every expression holds; replaces the built-in logic of the kind."""

    timeout_text = "timed out waiting for the condition"
    cancelled_text = "context canceled"

    def __init__(self, request: AwaitRequest, expressions: list[JsonPath | Condition]) -> None:
        super().__init__(request)
        self._expressions = expressions
        self._seen = False

    @override
    def handle(self, event: Event) -> None:
        if self.is_own(event) and event.type != DELETED:
            self.live = event.object
            self._seen = True

    @override
    def ready(self) -> bool:
        held = [self._holds(expression) for expression in self._expressions]
        return self._seen and all(held)

    def _holds(self, expression: JsonPath | Condition) -> bool:
        if isinstance(expression, Condition):
            return self._condition(self.live, expression)
        found = select(self.live, expression.path)
        if not found:
            self.log.status(INFO, f"{expression.path} selected nothing")
            return False
        text = _text(found[0])
        if expression.value is None or text == expression.value:
            self.log.status(INFO, f"Found {expression}")
            return True
        self.log.status(INFO, f'Waiting for {expression} (found "{text}")')
        return False

    def _condition(self, obj: Object, wanted: Condition) -> bool:
        status = obj.get("status") or {}
        conditions = status.get("conditions")
        if not isinstance(conditions, list):
            self.log.status(WARNING, "Has no .status.conditions")
            return False
        for condition in conditions:
            if str(condition.get("type")).lower() != wanted.kind.lower():
                continue
            generation = (obj.get("metadata") or {}).get("generation")
            observed = condition.get("observedGeneration", status.get("observedGeneration"))
            if generation is not None and observed is not None and observed < generation:
                text = f"Generation {observed} is less than expected {generation}"
                self.log.status(INFO, text)
                return False
            have = str(condition.get("status"))
            if have.lower() == wanted.status.lower():
                return True
            text = f"Resource has condition {wanted.kind}={have} (want {wanted.status})"
            self.log.status(INFO, text)
            return False
        return False
