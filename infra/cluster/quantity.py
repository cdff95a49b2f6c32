"""Kubernetes quantities as whole numbers: CPU in thousandths, all else in its own unit."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

Amounts = dict[str, int]

# Kubernetes documentation, reference "Quantity": decimal, binary and exponent forms.
_FORM = re.compile(r"([+-]?[0-9]+\.?[0-9]*|[+-]?\.[0-9]+)(?:(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)|[eE]([+-]?[0-9]+))?")
_UNITS = {
    **{unit: Decimal(10) ** power for unit, power in zip(("n", "u", "m"), (-9, -6, -3), strict=True)},
    **{unit: Decimal(1000) ** (index + 1) for index, unit in enumerate(("k", "M", "G", "T", "P", "E"))},
    **{unit: Decimal(1024) ** (index + 1) for index, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
}


def amount(name: str, text: Any) -> int:
    """A quantity of a resource, rounded up as Kubernetes rounds; 0 for what is none."""
    found = _FORM.fullmatch(str(text).strip())
    if found is None:
        return 0
    number, unit, power = found.groups()
    value = Decimal(number) * (_UNITS[unit] if unit else Decimal(10) ** int(power or 0))
    return math.ceil(value * 1000 if name == "cpu" else value)


def amounts(quantities: Mapping[str, Any] | None) -> Amounts:
    """Every resource of a mapping such as `allocatable` or `requests`."""
    return {name: amount(name, text) for name, text in (quantities or {}).items()}


def shown(name: str, number: int) -> str:
    """An amount as a reader knows it."""
    if name == "cpu":
        return f"{number / 1000:g} CPUs"
    if name in {"memory", "ephemeral-storage"}:
        return f"{number / 2**30:.1f} GiB {name.replace('-', ' ')}"
    return f"{number} x {name}"
