"""What the Gemini API makes of the simulated cloud's API keys."""

from __future__ import annotations

from typing import Any

from simulator.google.api_keys import valid_keys
from simulator.managed.google import GEMINI, KeyState, Verdict


def gemini_key_state(data: dict[str, Any], key: str) -> KeyState:
    """What a key may do, by the cloud's state; one that was deleted is unknown."""
    use = valid_keys(data).get(key)
    if use is None:
        return KeyState(Verdict.UNKNOWN)
    if not use.may_call(GEMINI):
        return KeyState(Verdict.BLOCKED, use.project)
    if use.services is None:
        return KeyState(Verdict.UNRESTRICTED, use.project)
    return KeyState(Verdict.ACCEPTED if use.service_account else Verdict.UNBOUND, use.project)
