"""Kubernetes quantities such as "500m" and "16Gi"."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{unit: Decimal(1024) ** power for power, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([A-Za-z]*)")


def milli(quantity: str | int | float) -> int:
    """A quantity in thousandths of its unit, rounded up as Kubernetes does.

    >>> milli("500m"), milli("2"), milli("1Ki")
    (500, 2000, 1024000)

    Raises:
        ValueError: It is not a quantity.
    """
    match = _FORM.fullmatch(str(quantity))
    if match is None or match[2] not in _UNITS:
        raise ValueError(f"not a Kubernetes quantity: {quantity!r}")
    value = Decimal(match[1]) * _UNITS[match[2]] * 1000
    return int(value.to_integral_value(rounding="ROUND_CEILING"))
