"""The escape hatch `engine.args`: extra flags that the plan does not own and that are not refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from infra.plan.refusal import RefusedError


def with_engine_args(
    planned: Sequence[str], extra: Sequence[str], *, owned: Sequence[str], denied: Mapping[str, str]
) -> tuple[str, ...]:
    """Planned arguments followed by the stack's own.

    Engines accept abbreviated flags and take the last value, so a flag is refused when it is an owned or denied one,
    the negation of one, or the beginning of one.

    Args:
        planned: arguments that the plan gives.
        extra: arguments of the stack file.
        owned: flags that the plan gives for other stack files; the planned ones need not be repeated.
        denied: reason by flag; a flag that ends in `*` stands for all that begin so.

    Raises:
        RefusedError: an owned or denied flag.
    """
    names = sorted({argument.split("=", 1)[0] for argument in planned} | set(owned))
    for index, argument in enumerate(extra):
        flag = argument.split("=", 1)[0]
        field = ("engine", "args", index)
        for means in (_is, _shortens):
            reason = next((reason for name, reason in denied.items() if means(flag, name)), None)
            if reason:
                raise RefusedError(field, f"{flag} is refused: {reason}.")
            taken = next((name for name in names if means(flag, name)), None)
            if taken:
                raise RefusedError(field, f"{flag} is the plan's ({taken}); use the stack file's own fields.")
    return (*planned, *extra)


def _is(flag: str, name: str) -> bool:
    family = name.removesuffix("*")
    return any(form.startswith(family) if family != name else form == name for form in _forms(flag))


def _shortens(flag: str, name: str) -> bool:
    return any(name.startswith(form) for form in _forms(flag))


def _forms(flag: str) -> tuple[str, str, str]:
    """A flag, what it negates, and its negation."""
    return flag, flag.replace("--no-", "--", 1), f"--no-{flag[2:]}"
