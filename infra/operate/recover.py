"""`servestack recover`: bring a stack's state back in line after an `up` that was killed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

from infra.errors import StackError
from infra.operate.recovery import adopt_pending, keep_ours

Say = Callable[[str], None]


def recover(stack: str, say: Say) -> None:
    """Adopt what a killed `up` had made, forget what it had not, and refresh the rest.

    Nothing in the cloud is changed. Run `pulumi cancel -s STACK` first where the killed run left its lock.

    Args:
        stack: Pulumi stack name.
        say: prints one line for the user.

    Raises:
        StackError: Pulumi refuses, with its own words and the next step.
    """
    edited, adopted, forgotten = adopt_pending(_export(stack))
    if not adopted and not forgotten:
        say("Nothing was being made when the last run ended.")
    for urn in adopted:
        say(f"  was being made: {_short(urn)}")
    for urn in forgotten:
        say(f"  forgotten, made anew by `up`: {_short(urn)}")
    _import(stack, edited)
    say("Reading what is really there (`pulumi refresh`) ...")
    _pulumi(stack, ["refresh", "--yes", "--skip-preview", "--suppress-outputs"])
    if adopted:
        final, kept, foreign = keep_ours(_export(stack), adopted, stack)
        _import(stack, final)
        for urn in kept:
            say(f"  taken into the state: {_short(urn)}")
        for urn in foreign:
            say(f"  left alone, someone else's: {_short(urn)}")
    say(f"Recovered. Next: pulumi up -s {stack}")


def _export(stack: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(_pulumi(stack, ["stack", "export"]))
    return state


def _import(stack: str, state: dict[str, Any]) -> None:
    _pulumi(stack, ["stack", "import"], json.dumps(state))


def _pulumi(stack: str, arguments: list[str], stdin: str | None = None) -> str:
    command = ["pulumi", *arguments, "--stack", stack, "--non-interactive"]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StackError("recover needs the `pulumi` command on PATH.") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        step = f"\nNext: pulumi cancel -s {stack}" if "currently locked" in said else ""
        raise StackError(f"`{' '.join(command)}` failed:\n{said}{step}")
    return done.stdout


def _short(urn: str) -> str:
    return "::".join(urn.split("::")[-2:]).rpartition("$")[2]
