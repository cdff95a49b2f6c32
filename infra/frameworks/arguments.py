"""The escape hatch `engine.args`: extra flags that the plan does not own and that are not refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.plan.refusal import RefusedError


def with_engine_args(planned: Sequence[str], extra: Sequence[str], denied: Mapping[str, str]) -> tuple[str, ...]:
    """Planned arguments followed by the stack's own.

    Engines accept abbreviated flags and take the last value, so a flag is refused when it is a planned one, the
    negation of one, or the beginning of one.

    Raises:
        RefusedError: a planned or denied flag.
    """
    owned = {argument.split("=", 1)[0] for argument in planned}
    for index, argument in enumerate(extra):
        flag = argument.split("=", 1)[0]
        forms = {flag, flag.replace("--no-", "--", 1)}
        field = ("engine", "args", index)
        for name, reason in denied.items():
            if any(name.startswith(form) for form in forms):
                raise RefusedError(field, f"{flag} is refused: {reason}.")
        taken = next((name for name in sorted(owned) if any(name.startswith(form) for form in forms)), None)
        if taken or any(f"--no-{form[2:]}" in owned for form in forms):
            raise RefusedError(field, f"{flag} is the plan's ({taken or flag}); use the stack file's own fields.")
    return (*planned, *extra)
