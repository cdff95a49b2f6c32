"""What a preview or a refresh answers: inputs and state put together."""

from __future__ import annotations

from typing import Any

from pulumi.runtime.rpc import UNKNOWN

from simulator.google.wire import Properties, has_unknown


def planned(computed: tuple[str, ...], inputs: Properties) -> Properties:
    """What a preview of a creation shows: the inputs, and as unknown what only Google can say."""
    unknown: Properties = dict.fromkeys(computed, UNKNOWN)
    return unknown | {key: value for key, value in inputs.items() if key != "__defaults"}


def merged(state: Any, inputs: Any) -> Any:
    """The state as it will be: new inputs in place of old ones, Google's own values kept."""
    if isinstance(state, dict) and isinstance(inputs, dict):
        given = {key: value for key, value in inputs.items() if key != "__defaults"}
        return state | {key: merged(state.get(key), value) for key, value in given.items()}
    return inputs


def as_given(live: Any, given: Any) -> Any:
    """The live values of what the user gave."""
    if isinstance(live, dict) and isinstance(given, dict):
        return {
            key: value if key == "__defaults" else as_given(live[key], value) if key in live else value
            for key, value in given.items()
        }
    if isinstance(live, list) and isinstance(given, list) and len(live) == len(given):
        return [as_given(one, other) for one, other in zip(live, given, strict=True)]
    return given if has_unknown(given) else live
